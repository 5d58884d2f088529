"""A planned edition whose deliveries are in doubt, and a relay's log to settle them by."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from newsroom_app import MONDAY, WEEKLY, Newsroom, open_newsroom

from publisher.store.schema import editions
from publisher.store.schema_dispatch import deliveries
from publisher.usecases.addressing import message_id

PEOPLE = ("ana", "ben", "cleo")


@dataclass
class Doubts:
    """A newsroom with an edition whose intents are open, and the hands that write the relay's log."""

    newsroom: Newsroom
    edition: str
    log: Path

    def put_in_doubt(self, *names: str) -> None:
        """As after a kill while these messages were in flight; the others are sent."""
        addresses = [f"{name}@example.org" for name in names]
        now = self.newsroom.clock.now
        with self.newsroom.app.database.write() as tx:
            is_named = deliveries.c.email.in_(addresses)
            tx.execute(deliveries.update().values(state="sent", reply="250 2.0.0 ok", attempts=1, changed_at=now))
            tx.execute(deliveries.update().where(is_named).values(state="uncertain", reply="the sender died"))
            tx.execute(editions.update().values(state="done", done_at=now, outcome="1 sent, 2 uncertain"))

    def write(self, *lines: str, at: datetime | None = None) -> None:
        """Lines like ``smtpd[7]: connect from x``, at the moment of the clock unless told."""
        moment = (at or self.newsroom.clock.now).isoformat()
        with self.log.open("a") as file:
            file.writelines(f"{moment} relay postfix/{line}\n" for line in lines)

    def write_session(self, name: str | None = None, *, is_taken: bool = False) -> None:
        """A connection that began and ended, with that person's message in it."""
        self.write("smtpd[7]: connect from host[192.0.2.7]")
        if name is not None:
            queued = [f"smtpd[7]: AB12CD34{name}: client=host[192.0.2.7]"]
            queued += [f"cleanup[8]: AB12CD34{name}: message-id={self.message_id(name)}"]
            taken = f"qmgr[3]: AB12CD34{name}: from=<b@x>, size=9, nrcpt=1 (queue active)"
            self.write(*queued, taken if is_taken else "smtpd[7]: lost connection after DATA (9 bytes) from host")
        self.write("smtpd[7]: disconnect from host[192.0.2.7] ehlo=1 commands=1")

    def message_id(self, name: str) -> str:
        return message_id(self.newsroom.app, self.edition, int(str(self.row(name)["subscriber_id"])))

    def row(self, name: str) -> dict[str, object]:
        return next(row for row in self.newsroom.rows(deliveries) if row["email"] == f"{name}@example.org")

    @property
    def states(self) -> dict[str, object]:
        return {name: self.row(name)["state"] for name in PEOPLE}

    @property
    def edition_row(self) -> dict[str, object]:
        return next(row for row in self.newsroom.rows(editions) if row["id"] == self.edition)


@contextmanager
def open_doubts(folder: Path, *, smtp: str = 'mail_log = "mail.log"', **policy: str) -> Iterator[Doubts]:
    """A planned weekly edition for three people; ``policy`` goes into its digest."""
    with open_newsroom(folder, smtp=smtp) as newsroom:
        newsroom.put_digest(WEEKLY | policy)
        newsroom.add_item(released_at=MONDAY - timedelta(days=1))
        newsroom.add_people(PEOPLE)
        doubts = Doubts(newsroom, newsroom.plan_edition(), folder / "mail.log")
        doubts.write("anvil[9]: statistics: max connection rate 1/60s", at=MONDAY - timedelta(minutes=1))
        newsroom.clock.forward(minutes=1)
        yield doubts
