"""The demo's clock: it stands where it is put, then runs fast for ten days, then goes at the pace of every clock."""

from collections.abc import Callable
from datetime import datetime, time, timedelta

from publisher.demo.dates import ZONE

FAST_DAYS = 10
"""The newsroom's last story appears on the fifth day; two more Mondays show what follows when nothing is new."""

_FIRST_MORNING = time(7)


class DemoClock:
    """A clock as ``App`` wants it; ``monotonic`` counts the seconds that really pass."""

    def __init__(self, moment: datetime, monotonic: Callable[[], float]) -> None:
        self._moment = moment
        self._monotonic = monotonic
        self._started: float | None = None
        self._speed = 1.0

    def __call__(self) -> datetime:
        """The moment that it shows."""
        if self._started is None:
            return self._moment
        elapsed_s = self._monotonic() - self._started
        fast_s = min(elapsed_s, self._fast_s)
        return self._moment + timedelta(seconds=fast_s * self._speed + elapsed_s - fast_s)

    @property
    def is_fast(self) -> bool:
        """Whether it runs, and faster than every clock."""
        return self._started is not None and self._monotonic() - self._started < self._fast_s

    def put(self, moment: datetime) -> None:
        """Stand still at that moment."""
        self._moment, self._started = moment, None

    def run(self, hours_per_second: float) -> None:
        """Run from the moment at which it stands."""
        self._speed = hours_per_second * 3600
        self._started = self._monotonic()

    @property
    def _fast_s(self) -> float:
        return FAST_DAYS * 86_400 / self._speed


def choose_start(now: datetime) -> datetime:
    """The morning of the second of this month where the organisation sits.

    The monthly edition of the day before then waits for approval, and the next one is far away.
    """
    day = now.astimezone(ZONE).date().replace(day=2)
    return datetime.combine(day, _FIRST_MORNING, ZONE).astimezone(now.tzinfo)
