"""An edition that is planned, and a mail server to be judged by."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from judging import Court, Judgement, judge, open_court
from newsroom_app import Newsroom, open_newsroom

from publisher.usecases.sending import SendResult, read_result, send_edition


@dataclass
class Trial:
    """A planned edition, its newsroom, and the judge of the run."""

    newsroom: Newsroom
    court: Court
    edition: str

    def send(self) -> SendResult:
        return send_edition(self.newsroom.app, self.edition)

    @property
    def states(self) -> dict[str, int]:
        return read_result(self.newsroom.app, self.edition).states

    @property
    def judgement(self) -> Judgement:
        return judge(self.newsroom.app, self.edition, self.court)

    @contextmanager
    def next_judge(self, *faults: str, delay_s: float = 0) -> Iterator[None]:
        """Another judge on the same port, its log going on."""
        with open_court(self.newsroom.folder, *faults, delay_s=delay_s, port=self.court.port):
            yield


Begin = Callable[..., AbstractContextManager[Trial]]


@contextmanager
def begin_trial(
    folder: Path, people: int, *faults: str, delay_s: float = 0, now: datetime | None = None, **config: object
) -> Iterator[Trial]:
    """An edition planned for ``people`` subscribers in two variants, before the judge with these faults."""
    with ExitStack() as stack:
        court = stack.enter_context(open_court(folder, *faults, delay_s=delay_s))
        moment = now or datetime.now(UTC).replace(microsecond=0)
        newsroom = stack.enter_context(open_newsroom(folder, port=court.port, now=moment, **config))
        newsroom.add_item(released_at=moment - timedelta(days=1))
        newsroom.add_people([f"p{number:03}" for number in range(people - people // 2)])
        if people > 1:
            newsroom.add_people([f"q{number:03}" for number in range(people // 2)], language="fr")
        yield Trial(newsroom, court, newsroom.plan_edition())
