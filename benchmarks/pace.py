"""What granting and learning cost a message: ``python -m benchmarks.pace``.

In groups of 20 messages to 8 domains, within write transactions on a database file, as the sender does it. The
transaction itself is not counted: the sender has it anyway.
"""

import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from publisher.store.database import Database, parse_database_url
from publisher.store.migrate import create_or_check
from publisher.usecases.pacing import Pacer, Rules
from subscribers.lanes import provider_key
from subscribers.pacing import Limits
from subscribers.replies import Verdict, judge_reply

GROUP = 20
ROUNDS = 2_000
START = datetime(2026, 11, 28, 8, tzinfo=UTC)
DOMAINS = [f"provider{number % 8}.example" for number in range(GROUP)]
SENT = judge_reply(250, "2.0.0 ok", step="data")
DEAD = judge_reply(550, "5.1.1 unknown", step="rcpt")

UNLIMITED = Limits()
FAST = Limits(1_000_000.0, 10)


def main() -> None:
    """Print microseconds of CPU a message."""
    cases = {
        "nothing configured": (UNLIMITED, {}, [SENT] * GROUP),
        "nothing configured, 5 % dead addresses": (UNLIMITED, {}, [SENT] * (GROUP - 1) + [DEAD]),
        "relay limited": (FAST, {}, [SENT] * GROUP),
        "relay and 8 domains limited": (FAST, {provider_key(one): FAST for one in DOMAINS}, [SENT] * GROUP),
    }
    for name, (relay, providers, verdicts) in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            database = Database(parse_database_url("sqlite:///bench.db", Path(folder)))
            create_or_check(database)
            pacer = Pacer(Rules(relay, providers, None, None, ZoneInfo("UTC")))
            grant, learn = _measure(database, pacer, list(zip(DOMAINS, verdicts, strict=True)))
            database.close()
        print(f"{name}: grant {grant:.2f} µs, learn {learn:.2f} µs")


def _measure(database: Database, pacer: Pacer, outcomes: list[tuple[str, Verdict]]) -> tuple[float, float]:
    granting = learning = 0.0
    for number in range(ROUNDS):
        now = START + timedelta(seconds=number)
        with database.write() as tx:
            began = time.thread_time()
            pacer.learn(tx, "main", outcomes, now=now)
            between = time.thread_time()
            pacer.grant(tx, "main", DOMAINS, now=now)
            ended = time.thread_time()
        learning += between - began
        granting += ended - between
    messages = ROUNDS * GROUP
    return 1e6 * granting / messages, 1e6 * learning / messages


if __name__ == "__main__":
    main()
