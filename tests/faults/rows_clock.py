"""E: clocks that jump, hours that are missing or come twice, hosts that were down, two schedulers."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from tests.faults.registry import row
from tests.faults.trial import START, Trial

DAILY = {"id": "daily", "title": {"en": "The Day"}, "cadence": "daily", "approval": "automatic"}


@row("E1", "The clock jumps a day ahead and back: each day's edition once")
def day_ahead(trial: Trial) -> None:
    _open_daily(trial, at="08:00")
    _tick(trial)
    _expect_editions(trial, {"daily-2026-11-24": "done"})

    trial.later(hours=24)
    trial.add_item(ago=timedelta(hours=5))
    _tick(trial)
    _tick(trial)
    trial.later(hours=-24)
    _tick(trial)

    _expect_editions(trial, {"daily-2026-11-24": "done", "daily-2026-11-25": "done"})
    _expect_messages(trial, 2)


@row("E2", "The clock is set back an hour after a kill and in mid-run: taken over at once, nobody twice")
def hour_back(trial: Trial) -> None:
    trial.serve(delay_s=0.02)
    trial.open(people=60)
    trial.die(failpoint="send-after-claim")
    trial.later(hours=-1)

    running = trial.start_send()
    trial.until(lambda: trial.count_accepted() >= 10 or running.is_over())
    trial.later(hours=-1)
    ended = running.wait()

    trial.expect(ended.code == 0, f"it ended with {ended.code}: {ended.last_words}")
    trial.expect_all_sent()


@row("E3", "02:30 does not exist tonight: runs once")
def missing_hour(trial: Trial) -> None:
    _open_daily(trial, at="02:30", start=datetime(2027, 3, 27, 20, tzinfo=UTC))
    _tick_through(trial, datetime(2027, 3, 28, tzinfo=UTC))

    _expect_night(trial, "daily-2027-03-28")


@row("E4", "01:30 comes twice tonight: runs once")
def doubled_hour(trial: Trial) -> None:
    _open_daily(trial, at="01:30", start=datetime(2027, 10, 30, 20, tzinfo=UTC), zone="Europe/London")
    _tick_through(trial, datetime(2027, 10, 31, tzinfo=UTC))

    _expect_night(trial, "daily-2027-10-31")


@row("E5", "The host was down over the slot: caught up once, or expired and said so where it is too late")
def down_over_slot(trial: Trial) -> None:
    _open_daily(trial, at="08:00")
    trial.later(hours=3)
    _tick(trial)
    _expect_editions(trial, {"daily-2026-11-24": "done"})

    trial.hush()
    trial.later(hours=24)
    trial.add_item(ago=timedelta(hours=5))
    _tick(trial)
    trial.later(days=3)
    trial.add_item(ago=timedelta(hours=5))
    trial.serve()
    _tick(trial)

    late = trial.query("SELECT outcome FROM editions WHERE id = 'daily-2026-11-25'")
    trial.expect("expired" in str(late), f"the late edition says {late}")
    _expect_editions(trial, {"daily-2026-11-24": "done", "daily-2026-11-25": "done", "daily-2026-11-28": "done"})
    _expect_messages(trial, 2)


@row("E6", "Two schedulers fire together: one edition, one message for each")
def two_schedulers(trial: Trial) -> None:
    _open_daily(trial, at="08:00")

    for running in [trial.start("tick") for _ in range(3)]:
        ended = running.wait()
        trial.expect(ended.code == 0, f"it ended with {ended.code}: {ended.last_words}")

    _tick(trial)
    _expect_editions(trial, {"daily-2026-11-24": "done"})
    _expect_messages(trial, 1)


def _open_daily(trial: Trial, *, at: str, start: datetime = START, zone: str = "Europe/Vienna") -> None:
    """A daily digest that approves itself, with a dozen readers."""
    trial.set_clock(start)
    trial.serve()
    trial.open(people=2, is_planned=False, zone=zone)
    with trial.hands() as newsroom:
        newsroom.put_digest({**DAILY, "at": at}, 1)
        newsroom.add_item(released_at=trial.now - timedelta(hours=3))
    trial.add_readers(12, "d", "en", cadence="daily")


def _tick(trial: Trial) -> None:
    ended = trial.run("tick")
    trial.expect(ended.code == 0, f"tick ended with {ended.code}: {ended.last_words}")
    for (name,) in trial.query("SELECT id FROM editions WHERE digest_id = 'daily' AND state IN ('planned', 'done')"):
        trial.edition = name
        trial.owed |= {(who, trial.message_id(name, trial.ids[who])) for who in trial.people if who.startswith("d")}


def _tick_through(trial: Trial, midnight: datetime) -> None:
    """A tick each half hour of a night, with something new in each hour."""
    for minutes in range(0, 240, 30):
        trial.set_clock(midnight + timedelta(minutes=minutes, seconds=5))
        if minutes % 60 == 0:
            with trial.hands() as newsroom:
                newsroom.add_item(released_at=trial.now - timedelta(minutes=50))
        _tick(trial)


def _expect_editions(trial: Trial, expected: dict[str, str]) -> None:
    found = dict(trial.query("SELECT id, state FROM editions WHERE digest_id = 'daily' AND state != 'skipped'"))
    trial.expect(found == expected, f"editions are {found}, expected {expected}")


def _expect_messages(trial: Trial, count: int) -> None:
    """Each daily reader got so many."""
    found = Counter(one.recipient for one in trial.accepted)
    wrong = {who: found[who] for who in trial.people if who.startswith("d") and found[who] != count}
    trial.expect(not wrong, f"not {count} messages each: {wrong}")


def _expect_night(trial: Trial, name: str) -> None:
    """One edition of that local date, sent to each once; what else was opened has other dates."""
    found = trial.query("SELECT state FROM editions WHERE digest_id = 'daily' AND id LIKE ?", f"{name}%")
    trial.expect(found == [("done",)], f"editions of that date: {found}")
    (planned,) = trial.query("SELECT count(*) FROM deliveries WHERE edition_id = ?", name)[0]
    trial.expect(planned == 12, f"{planned} deliveries")
