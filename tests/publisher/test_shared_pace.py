"""Pace in the database: senders share buckets, and what one has learnt holds for all."""

import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from newsroom_app import MONDAY, Newsroom, open_newsroom
from sqlalchemy import event

from publisher.app import Clock, open_app, utc_now
from publisher.store.database import Database
from publisher.store.pace import let_try_again
from publisher.store.schema_dispatch import pace
from publisher.usecases.breakers import describe_breakers, describe_lane
from publisher.usecases.pacing import FIRST_RELAY_RATE, Granted, Pacer, make_rules
from subscribers.breakers import CLOSED, RULES, Fault, trip
from subscribers.lanes import Lane
from subscribers.replies import Kind, Verdict, judge_reply

SENT = judge_reply(250, "2.0.0 ok", step="data")
GONE = judge_reply(550, "5.1.1 unknown", step="rcpt")
HASTE = judge_reply(421, "4.7.28 too fast", step="data")
UNSIGNED = judge_reply(550, "5.7.30 no DKIM signature", step="data")
SPAM = judge_reply(554, "5.7.1 spam", step="data")
REFUSED = judge_reply(550, "5.7.1 blocked", step="rcpt")


class Sender:
    """A sender of its own on the newsroom's database, as another process would be."""

    def __init__(self, newsroom: Newsroom) -> None:
        self.app = open_app(newsroom.config_file, newsroom.clock)
        self.pacer = Pacer(make_rules(self.app.config))

    def grant(self, *domains: str, is_urgent: bool = False, clock: Clock | None = None) -> Granted:
        now = (clock or self.app.clock)()
        with self.app.database.write() as tx:
            return self.pacer.grant(tx, "main", domains, now=now, is_urgent=is_urgent)

    def waits(self, *domains: str) -> list[float]:
        return [round(wait, 3) for wait in self.grant(*domains).waits]

    def learn(self, *outcomes: tuple[str, Verdict]) -> list[str]:
        with self.app.database.write() as tx:
            return [lane.key for lane in self.pacer.learn(tx, "main", outcomes, now=self.app.clock())]


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with open_newsroom(tmp_path) as newsroom:
        yield newsroom


@contextmanager
def senders(newsroom: Newsroom, count: int, config: str = "") -> Iterator[Sequence[Sender]]:
    newsroom.config_file.write_text(f"{newsroom.config_file.read_text()}\n{config}")
    all_ = [Sender(newsroom) for _ in range(count)]
    try:
        yield all_
    finally:
        for one in all_:
            one.app.database.close()


@contextmanager
def counting(database: Database) -> Iterator[list[str]]:
    """The statements that begin while it lasts, but for the transaction's own."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


GMAIL = '[[pace.domains]]\ndomain = "gmail.com"\nmessages_per_second = 5\n'


def test_where_nothing_is_limited_all_may_begin_for_one_statement_and_learning_costs_none(newsroom: Newsroom) -> None:
    with senders(newsroom, 1) as (sender,):
        with counting(sender.app.database) as statements:
            granted = sender.grant(*(f"{number}.example" for number in range(100)))
            sender.learn(*((f"{number}.example", SENT) for number in range(100)))

        assert set(granted.waits) == {0.0}
        assert len(statements) == 1
        assert newsroom.rows(pace) == []


def test_a_limited_domain_gets_its_burst_and_holds_up_nobody_else(newsroom: Newsroom) -> None:
    with senders(newsroom, 1, GMAIL) as (sender,), counting(sender.app.database) as statements:
        waits = sender.waits(*["gmail.com", "GMail.com", "other.example"] * 4)

        assert waits == [0.0] * 6 + [0.0, 0.2, 0.0] + [0.2, 0.2, 0.0]
        assert len(statements) == 2
        newsroom.clock.forward(seconds=0.2)
        assert sender.waits("gmail.com", "gmail.com") == [0.0, 0.2]


def test_two_senders_share_a_bucket(newsroom: Newsroom) -> None:
    with senders(newsroom, 2, GMAIL) as (one, other):
        assert one.waits("gmail.com", "gmail.com", "gmail.com") == [0.0] * 3
        assert other.waits("gmail.com", "gmail.com", "gmail.com") == [0.0, 0.0, 0.2]


def test_senders_at_the_same_time_never_begin_more_than_rate_and_burst(newsroom: Newsroom) -> None:
    rate, seconds = 200, 1.0
    began = time.monotonic()
    with senders(newsroom, 2, "[[pace.domains]]\ndomain = 'gmail.com'\nmessages_per_second = 200\n") as both:
        granted = [0, 0]

        def send(place: int) -> None:
            while time.monotonic() - began < seconds:
                waits = both[place].grant(*["gmail.com"] * 20, clock=utc_now).waits
                granted[place] += waits.count(0.0)
                time.sleep(max(waits))

        threads = [threading.Thread(target=send, args=(place,)) for place in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        elapsed = time.monotonic() - began

    assert min(granted) > 0
    assert rate <= sum(granted) <= rate * elapsed + rate


def test_haste_slows_all_senders_to_one_connection_and_passes(newsroom: Newsroom) -> None:
    with senders(newsroom, 2) as (one, other):
        one.learn(("a.example", HASTE), ("b.example", HASTE))

        assert other.grant("c.example").connections == 1
        assert describe_breakers(newsroom.app) == [
            f"relay main: it told us that we are too fast, so it gets {FIRST_RELAY_RATE:.3g} messages a second,"
            " one connection at most"
        ]
        for _ in range(40):
            newsroom.clock.forward(minutes=1)
            other.grant("c.example")
            other.learn(("c.example", SENT))
        assert other.grant("c.example").connections is None
        assert describe_breakers(newsroom.app) == []
        assert newsroom.rows(pace) == []


def test_a_refusal_of_our_domain_stops_that_provider_alone_until_a_probe_is_taken(newsroom: Newsroom) -> None:
    with senders(newsroom, 2) as (one, other):
        assert one.learn(("gmail.com", UNSIGNED), ("gmail.com", UNSIGNED), ("b.example", SENT)) == ["domain:gmail.com"]

        assert other.waits("gmail.com", "b.example") == [3600.0, 0.0]
        assert describe_breakers(newsroom.app) == [
            "gmail.com: no mail goes there until 2026-11-23 08:00 UTC: it refuses our domain (DKIM)."
            " Correct that in DNS or at the relay"
        ]
        newsroom.clock.forward(hours=1)
        assert other.waits("gmail.com", "gmail.com") == [0.0, 120.0]
        assert "one message at a time goes there" in describe_breakers(newsroom.app)[0]
        other.learn(("gmail.com", SENT))
        assert one.waits("gmail.com", "gmail.com") == [0.0, 0.0]
        assert describe_breakers(newsroom.app) == []


@pytest.mark.parametrize("kind", list(RULES))
def test_every_fault_that_opens_a_breaker_is_told_with_a_remedy(kind: Kind) -> None:
    breaker = trip(CLOSED, Fault(kind, "9 of 10"), now=MONDAY)

    line = describe_lane(Lane("domain:gmail.com", breaker=breaker), MONDAY)

    assert re.fullmatch(r"gmail\.com: no mail goes there until 2026-11-23 [0-9:]+ UTC: it \S+ .+\. \S+ .+", line)


def test_a_relay_in_trouble_is_told_with_the_connections_it_is_left(newsroom: Newsroom) -> None:
    with senders(newsroom, 1) as (sender,):
        sender.learn(("a.example", judge_reply(452, "4.3.1 disk full", step="data")))

    assert describe_breakers(newsroom.app) == ["relay main: it was in trouble, so it gets 3 connections at most"]


def test_staff_can_have_it_tried_again_at_once(newsroom: Newsroom) -> None:
    with senders(newsroom, 1) as (sender,):
        sender.learn(("gmail.com", UNSIGNED))

        with newsroom.app.database.write() as tx:
            assert let_try_again(tx, newsroom.clock()) == 1

        assert sender.waits("gmail.com", "gmail.com") == [0.0, 120.0]


def test_two_in_a_hundred_refused_bodies_of_two_hundred_stop_the_relay(newsroom: Newsroom) -> None:
    with senders(newsroom, 1) as (sender,):
        opened = []
        for number in range(300):
            verdict = SPAM if number % 50 == 0 else SENT
            opened = sender.learn((f"{number}.example", verdict))
            if opened:
                break

        assert (number, opened) == (200, ["relay:main"])
        assert sender.waits("any.example") == [900.0]
        assert "it refuses what we write (5 of 201 messages)" in describe_breakers(newsroom.app)[0]


def test_a_flood_of_policy_refusals_opens_the_breaker_and_kills_no_address(newsroom: Newsroom) -> None:
    with senders(newsroom, 1) as (sender,):
        opened = [key for _ in range(60) for key in sender.learn(("big.example", REFUSED))]

        assert opened == ["relay:main", "domain:big.example"]
        assert not REFUSED.is_address_dead


def test_dead_addresses_of_an_ordinary_list_open_nothing_and_cost_no_statement(newsroom: Newsroom) -> None:
    with senders(newsroom, 1) as (sender,), counting(sender.app.database) as statements:
        for number in range(500):
            assert sender.learn((f"{number}.example", GONE if number % 10 == 0 else SENT)) == []

        assert statements == []


def test_outside_the_window_only_what_is_urgent_begins(newsroom: Newsroom) -> None:
    with senders(newsroom, 1, '[pace]\nwindow = "09:00-20:00"\n') as (sender,):
        assert sender.waits("a.example", "b.example") == [3600.0, 3600.0]
        assert sender.grant("a.example", is_urgent=True).waits == [0.0]
        newsroom.clock.forward(hours=1)
        assert sender.waits("a.example") == [0.0]


def test_a_warm_up_counts_the_messages_of_a_local_day_over_all_senders(newsroom: Newsroom) -> None:
    plan = "[pace]\nwarm_up = { start = 2026-11-23, first_day = 3, growth = 2, until = 10 }\n"
    with senders(newsroom, 2, plan) as (one, other):
        assert one.waits("a.example", "b.example") == [0.0, 0.0]
        till_midnight = 16 * 3600.0
        assert other.waits("c.example", "d.example") == [0.0, till_midnight]

        newsroom.clock.forward(hours=16)
        assert other.waits(*["a.example"] * 7) == [0.0] * 6 + [24 * 3600.0]
        newsroom.clock.forward(days=1)
        assert other.waits(*["a.example"] * 20) == [0.0] * 20, "the plan is through"


def test_what_a_group_that_was_rolled_back_took_is_not_taken(newsroom: Newsroom) -> None:
    with senders(newsroom, 1, GMAIL) as (sender,):
        with sender.app.database.write() as tx:
            sender.pacer.grant(tx, "main", ["gmail.com"] * 5, now=MONDAY)
            tx.rollback()
            tx.exec_driver_sql("BEGIN")

        assert sender.waits(*["gmail.com"] * 5) == [0.0] * 5


def test_a_clock_put_back_an_hour_stops_no_sending(newsroom: Newsroom) -> None:
    with senders(newsroom, 1, GMAIL) as (sender,):
        sender.waits(*["gmail.com"] * 5)
        newsroom.clock.now -= timedelta(hours=1)

        sender.waits("gmail.com")
        newsroom.clock.forward(seconds=1)
        assert sender.waits("gmail.com") == [0.0]
