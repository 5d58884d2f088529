"""What a Postfix log says of messages in doubt: which of them the relay has, and whether its silence means anything.

Lines are ``Nov 28 12:00:00 host postfix/cleanup[123]: 4F2A: message-id=<…>``, or begin with an RFC 3339 moment. What
stands in them comes from whoever talks to the relay, so only the places that Postfix itself writes are believed.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

MAX_OPEN_SESSIONS = 20_000
"""More sessions that never end are no log of a Postfix; which of them ended is not told then."""

ToUtc = Callable[[datetime], datetime]
"""What the clock of the relay's host showed, without zone, as an aware moment; ``fold`` as in datetime."""

_LINE = re.compile(
    rb"(?P<stamp>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))"
    rb" (?P<host>\S+) (?P<program>[^\s\[:]+)(?:\[(?P<pid>\d{1,10})\])?: (?P<text>.*)",
    re.DOTALL,
)
_QUEUED = re.compile(rb"([0-9A-Za-z]{4,32}): (.*)", re.DOTALL)
_BODY_LOST = re.compile(rb"[\w ]+ after (?:DATA|BDAT)\b")  # after the final dot it says END-OF-MESSAGE
_REFUSED = re.compile(rb"(?:milter-)?reject: ")
_STATUS = re.compile(rb", relay=[^,]+, (?:conn_use=\d+, )?delay=[\d.]+, delays=[\d./]+, dsn=[\d.]+, status=([a-z-]+)")
_EXPIRED = re.compile(rb"from=<.*>, status=(expired|force-expired), ", re.DOTALL)
_LOGGERS = re.compile(rb"(?:rsyslogd|imjournal|syslog-ng|systemd-journald|journal)\b")
_LINES_LOST = re.compile(rb"rate.?limit|\b(?:lost|suppressed|dropp)", re.IGNORECASE)
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")


@dataclass(slots=True)
class Attempt:
    """One time that a message came to the relay."""

    queue_id: str
    ending: str = "open"
    """open: nothing tells yet; taken: it is or was in the queue; lost: the relay threw it away or refused it."""
    status: str = "queued"
    """The last word of a delivery: sent, deferred, bounced, expired."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of which times the log tells. Moments are None where no line told one."""

    first_at: datetime | None
    last_at: datetime | None
    gap_at: datetime | None
    """The last moment at which lines are known to be missing."""
    connected_at: datetime | None
    """When a client last connected."""
    ended_at: datetime | None
    """When a client's session last ended."""
    open_since: datetime | None
    """The begin of the oldest session that has not ended."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """When a message in doubt may have come to the relay."""

    since: datetime
    """Not before."""
    intent_at: datetime
    """It was last known to be under way."""
    until: datetime
    """From then on the relay has it or never will."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``sent``: the relay has it. ``planned``: it never took it. ``uncertain``: the log cannot tell."""

    state: str
    reason: str
    is_begun: bool = False
    """The relay began to take it."""


@dataclass(slots=True)
class _Session:
    stamp: bytes
    queue_id: bytes = b""


@dataclass(slots=True)
class LogReader:
    """Reads a log line by line, in the order it was written, and keeps what concerns the messages asked for."""

    message_ids: Collection[str]
    attempts: dict[bytes, list[Attempt]] = field(default_factory=dict, init=False)
    _queue: dict[tuple[bytes, bytes], Attempt] = field(default_factory=dict, init=False)
    _sessions: dict[tuple[bytes, bytes, bytes], _Session] = field(default_factory=dict, init=False)
    _first: bytes = field(default=b"", init=False)
    _last: bytes = field(default=b"", init=False)
    _gap: bytes = field(default=b"", init=False)
    _connected: bytes = field(default=b"", init=False)
    _ended: bytes = field(default=b"", init=False)
    _is_overrun: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.attempts = {message_id.encode(): [] for message_id in self.message_ids}

    def read(self, line: bytes) -> None:
        """Take in one line, whatever it holds."""
        found = _LINE.match(line)
        if found is None:
            if b"\0" in line:  # what a power cut left of a file
                self._gap = self._last
            return
        stamp, host, program, pid, text = found.groups()
        self._first = self._first or stamp
        self._last = stamp
        if not program.startswith(b"postfix"):
            if _LOGGERS.match(program) and _LINES_LOST.search(text):
                self._gap = stamp
            return
        match program.rpartition(b"/")[2]:
            case b"smtpd":
                self._read_smtpd((host, program, pid or b""), stamp, text)
            case b"cleanup":
                self._read_cleanup(host, text)
            case b"master":
                self._read_master(host, stamp, text)
            case daemon:
                self._read_queue(host, daemon, text)

    def coverage(self, *, now: datetime, to_utc: ToUtc) -> Coverage:
        """Of which times the lines read so far tell."""

        def moment(stamp: bytes) -> datetime | None:
            return read_stamp(stamp, now=now, to_utc=to_utc) if stamp else None

        opened = [at for one in self._sessions.values() if (at := moment(one.stamp)) is not None]
        first = read_stamp(self._first, now=now, to_utc=to_utc, is_late=True) if self._first else None
        return Coverage(
            first_at=first,
            last_at=moment(self._last),
            gap_at=moment(self._gap),
            connected_at=moment(self._connected),
            ended_at=moment(self._ended),
            open_since=first if self._is_overrun else min(opened, default=None),
        )

    def judge(self, message_id: str, coverage: Coverage, doubt: Doubt) -> Finding:
        """What became of one message; ``planned`` only where the log would show it if the relay had taken it."""
        attempts = self.attempts[message_id.encode()]
        for one in attempts:
            if one.ending == "taken":
                return Finding("sent", f"resolved: relay has it as {one.queue_id}, status={one.status}")
        for one in attempts:
            if one.ending == "open":
                reason = "the relay began to take it, and its log does not say how that ended"
                return Finding("uncertain", reason, is_begun=True)
        trouble = _find_gap(coverage, doubt)
        if trouble is not None:
            return Finding("uncertain", trouble)
        return Finding("planned", "resolved: the relay never took it")

    def _read_smtpd(self, session: tuple[bytes, bytes, bytes], stamp: bytes, text: bytes) -> None:
        if text.startswith(b"connect from "):
            self._connected = stamp
            self._is_overrun = self._is_overrun or len(self._sessions) >= MAX_OPEN_SESSIONS
            if not self._is_overrun:
                self._sessions[session] = _Session(stamp)
        elif text.startswith(b"disconnect from "):
            self._ended = stamp
            self._sessions.pop(session, None)
        elif _BODY_LOST.match(text) and session in self._sessions:
            self._end(session[0], self._sessions[session].queue_id, "lost")
        elif queued := _QUEUED.match(text):
            queue_id, rest = queued.groups()
            if rest.startswith(b"client=") and session in self._sessions:
                self._sessions[session].queue_id = queue_id
            elif _REFUSED.match(rest):
                self._end(session[0], queue_id, "lost")

    def _read_cleanup(self, host: bytes, text: bytes) -> None:
        queued = _QUEUED.match(text)
        if queued is None:
            return
        queue_id, rest = queued.groups()
        if rest.startswith(b"message-id="):
            self._begin((host, queue_id), rest.removeprefix(b"message-id=").strip())
        elif _REFUSED.match(rest):
            self._end(host, queue_id, "lost")

    def _read_master(self, host: bytes, stamp: bytes, text: bytes) -> None:
        if not text.startswith(b"daemon started"):
            return
        self._ended = stamp
        for session in [one for one in self._sessions if one[0] == host]:
            del self._sessions[session]

    def _read_queue(self, host: bytes, daemon: bytes, text: bytes) -> None:
        """A delivery, or the queue manager: it sees complete messages only."""
        if not self._queue or (queued := _QUEUED.match(text)) is None:
            return
        attempt = self._queue.get((host, queued[1]))
        if attempt is None:
            return
        status = (_EXPIRED if daemon.endswith(b"qmgr") else _STATUS).search(queued[2])
        if status is not None:
            attempt.status = status[1].decode("ascii")
        if status is not None or daemon.endswith(b"qmgr"):
            attempt.ending = "taken"

    def _begin(self, key: tuple[bytes, bytes], message_id: bytes) -> None:
        self._queue.pop(key, None)  # short queue ids are used again
        if message_id in self.attempts:
            attempt = Attempt(key[1].decode("ascii"))
            self.attempts[message_id].append(attempt)
            self._queue[key] = attempt

    def _end(self, host: bytes, queue_id: bytes, ending: str) -> None:
        attempt = self._queue.get((host, queue_id))
        if attempt is not None and attempt.ending == "open":
            attempt.ending = ending


def read_stamp(stamp: bytes, *, now: datetime, to_utc: ToUtc, is_late: bool = False) -> datetime | None:
    """The moment at the begin of a line; without a year, the last one that lies not more than a day ahead of ``now``.

    Where a stamp leaves it open (whole seconds, an hour that the clocks repeat), the earliest moment that it can mean,
    or the latest with ``is_late``. None for anything that is no moment.
    """
    try:
        if stamp[:1].isdigit():
            return datetime.fromisoformat(stamp.decode("ascii"))
        return _read_classic(stamp, now=now, to_utc=to_utc, is_late=is_late)
    except ValueError:
        return None


def _read_classic(stamp: bytes, *, now: datetime, to_utc: ToUtc, is_late: bool) -> datetime | None:
    month = _MONTHS.index(stamp[:3]) + 1
    day, hour, minute, second = (int(stamp[start : start + 2]) for start in (4, 7, 10, 13))
    for year in (now.year + 1, now.year, now.year - 1):
        try:
            local = datetime(year, month, day, hour, minute, min(second, 59), fold=is_late)  # noqa: DTZ001  (its zone is to_utc's)
        except ValueError:  # 29 February
            continue
        moment = to_utc(local)
        if moment <= now + timedelta(days=1):
            return moment + timedelta(seconds=is_late)
    return None


def first_moment(line: bytes, *, now: datetime, to_utc: ToUtc) -> datetime | None:
    """The latest moment that the stamp of a log line can mean; None where it has none."""
    found = _LINE.match(line)
    return None if found is None else read_stamp(found["stamp"], now=now, to_utc=to_utc, is_late=True)


def _find_gap(coverage: Coverage, doubt: Doubt) -> str | None:
    """Why a message that is not in the log may have been taken all the same; None where it was not."""
    if coverage.first_at is None or coverage.last_at is None or coverage.first_at > doubt.since:
        return "the relay's log does not reach back to when it may have come"
    if coverage.gap_at is not None and coverage.gap_at >= doubt.since:
        return "lines are missing from the relay's log"
    if coverage.connected_at is None or coverage.connected_at < doubt.since:
        return "nobody connected by the relay's log: is it another relay's?"
    if coverage.last_at >= doubt.until and (coverage.open_since is None or coverage.open_since > doubt.until):
        return None
    if _is_over(coverage, doubt):
        return None
    return "the relay's log does not reach on until it can only have come or be lost"


def _is_over(coverage: Coverage, doubt: Doubt) -> bool:
    """Whether every session in which it can have come has ended, and the log went on since."""
    if coverage.ended_at is None or coverage.last_at is None or coverage.open_since is not None:
        return False
    return coverage.last_at >= doubt.intent_at and coverage.ended_at >= doubt.intent_at.replace(microsecond=0)
