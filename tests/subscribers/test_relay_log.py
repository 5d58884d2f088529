"""What a Postfix log says of a message in doubt, and when its silence means that the relay never took it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.relay_log import Coverage, Doubt, Finding, LogReader, first_moment, read_stamp

MESSAGE = "<weekly-2026-11-23.0a1b@harbour.example>"
OTHER = "<another@harbour.example>"
VIENNA = ZoneInfo("Europe/Vienna")
NOW = datetime(2026, 11, 28, 13, tzinfo=UTC)
DOUBT = Doubt(
    since=datetime(2026, 11, 28, 11, 0, 10, tzinfo=UTC),
    intent_at=datetime(2026, 11, 28, 11, 0, 20, 500_000, tzinfo=UTC),
    until=datetime(2026, 11, 28, 11, 10, 20, 500_000, tzinfo=UTC),
)

BEFORE = "11:58:00 anvil[9]: statistics: max connection rate 1/60s"
CONNECT = "12:00:18 smtpd[7]: connect from host[192.0.2.7]"
CLIENT = "12:00:20 smtpd[7]: 4F2A1B3C: client=host[192.0.2.7], sasl_method=PLAIN"
BEGUN = f"12:00:20 cleanup[8]: 4F2A1B3C: message-id={MESSAGE}"
QUEUED = "12:00:20 qmgr[3]: 4F2A1B3C: from=<b-x@bounces.example>, size=20480, nrcpt=1 (queue active)"
SENT = (
    "12:00:21 smtp[6]: 4F2A1B3C: to=<ana@example.org>, relay=mx[192.0.2.8]:25, delay=0.4, delays=0.1/0/0.2/0.1,"
    " dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 99, status=bounced)"
)
LOST = "12:00:21 smtpd[7]: lost connection after DATA (1021 bytes) from host[192.0.2.7]"
LOST_AFTER = "12:00:21 smtpd[7]: lost connection after END-OF-MESSAGE from host[192.0.2.7]"
END = "12:00:21 smtpd[7]: disconnect from host[192.0.2.7] ehlo=2 mail=1 rcpt=1 data=0/1 commands=4/5"
LATER = "12:10:21 smtpd[8]: connect from host[192.0.2.9]"


def vienna(local: datetime) -> datetime:
    return local.replace(tzinfo=VIENNA).astimezone(UTC)


def write(*lines: str, prefix: str = "Nov 28 ", name: str = "postfix") -> list[bytes]:
    """Whole lines of the short forms above: moment, daemon, text."""
    return [f"{prefix}{line[:8]} relay {name}/{line[9:]}".encode() for line in lines]


def read(lines: list[bytes], *message_ids: str) -> tuple[LogReader, Coverage]:
    reader = LogReader(message_ids or (MESSAGE,))
    for line in lines:
        reader.read(line)
    return reader, reader.coverage(now=NOW, to_utc=vienna)


def judge(lines: list[bytes], doubt: Doubt = DOUBT) -> Finding:
    reader, coverage = read(lines)
    return reader.judge(MESSAGE, coverage, doubt)


TAKEN = write(BEFORE, CONNECT, CLIENT, BEGUN, QUEUED)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ((), "queued"),
        ((SENT,), "sent"),
        ((SENT.replace("status=sent (", "status=deferred ("), SENT), "sent"),
        ((SENT.replace("status=sent (", "status=bounced ("),), "bounced"),
        (("12:00:30 qmgr[3]: 4F2A1B3C: from=<b@x>, status=expired, returned to sender",), "expired"),
        ((SENT, "12:00:22 qmgr[3]: 4F2A1B3C: removed"), "sent"),
        ((SENT.replace(", delay=", ", conn_use=3, delay="),), "sent"),
    ],
)
def test_what_the_queue_manager_has_seen_was_taken_whatever_became_of_it(more: tuple[str, ...], status: str) -> None:
    found = judge(TAKEN + write(*more))

    assert found == Finding("sent", f"resolved: relay has it as 4F2A1B3C, status={status}")


@pytest.mark.parametrize(
    ("prefix", "name", "queue_id"),
    [
        ("Nov 28 ", "postfix", "4F2A1B3C"),
        ("2026-11-28T", "postfix", "4F2A"),
        ("Nov 28 ", "postfix/submission", "3Pt2mN2VXxznjll"),
        ("Nov 28 ", "postfix-out", "4F2A1B3C"),
    ],
)
def test_both_forms_of_moments_and_of_queue_ids_are_read(prefix: str, name: str, queue_id: str) -> None:
    short = [line.replace("4F2A1B3C", queue_id) for line in (BEFORE, CONNECT, CLIENT, BEGUN, QUEUED, SENT)]
    if prefix[0] == "2":
        short = [f"{line[:8]}.250000+01:00{line[8:]}" for line in short]
        lines = [f"{prefix}{line[:21]} relay {name}/{line[22:]}".encode() for line in short]
    else:
        lines = write(*short, prefix=prefix, name=name)

    assert judge(lines).reason == f"resolved: relay has it as {queue_id}, status=sent"


def test_a_message_that_the_relay_only_began_to_take_is_not_taken() -> None:
    lines = write(BEFORE, CONNECT, CLIENT, BEGUN, LOST, END)

    assert judge(lines + write(LATER)) == Finding("planned", "resolved: the relay never took it")


@pytest.mark.parametrize(
    "refusal",
    [
        "12:00:20 cleanup[8]: 4F2A1B3C: reject: header Subject: x from host[192.0.2.7]; from=<a> to=<b>: 5.7.1 no",
        "12:00:20 cleanup[8]: 4F2A1B3C: milter-reject: END-OF-MESSAGE from host[192.0.2.7]: 5.7.1 no",
        "12:00:20 smtpd[7]: 4F2A1B3C: reject: END-OF-DATA from host[192.0.2.7]: 552 5.3.4 too big",
        "12:00:20 smtpd[7]: timeout after DATA (12 bytes) from host[192.0.2.7]",
    ],
)
def test_a_message_that_the_relay_refused_is_not_taken(refusal: str) -> None:
    assert judge(write(BEFORE, CONNECT, CLIENT, BEGUN, refusal, END, LATER)).state == "planned"


@pytest.mark.parametrize(
    "ending",
    [(), (LOST_AFTER, END), (END,), ("12:00:20 cleanup[8]: 4F2A1B3C: hold: header Subject: x from host[192.0.2.7]",)],
)
def test_a_message_whose_end_is_not_told_stays_in_doubt_however_long_the_log_goes_on(ending: tuple[str, ...]) -> None:
    found = judge(write(BEFORE, CONNECT, CLIENT, BEGUN, *ending, LATER))

    assert (found.state, found.is_begun) == ("uncertain", True)


def test_a_second_attempt_that_was_taken_counts_beside_a_first_that_was_lost() -> None:
    again = [line.replace("smtpd[7]", "smtpd[17]").replace("4F2A1B3C", "77AB12CD") for line in (CONNECT, CLIENT)]
    taken = [BEGUN.replace("4F2A1B3C", "77AB12CD"), QUEUED.replace("4F2A1B3C", "77AB12CD")]

    found = judge(write(BEFORE, CONNECT, CLIENT, BEGUN, LOST, END, *again, *taken))

    assert found.reason == "resolved: relay has it as 77AB12CD, status=queued"


def test_what_was_taken_stays_taken_when_its_connection_is_lost() -> None:
    assert judge(TAKEN + write(LOST, END)).state == "sent"


def test_a_queue_id_that_is_used_again_for_another_message_proves_nothing() -> None:
    again = CLIENT.replace("12:00:20", "12:00:25")
    other = [f"12:00:25 cleanup[8]: 4F2A1B3C: message-id={OTHER}", QUEUED, SENT]

    assert judge(write(BEFORE, CONNECT, CLIENT, BEGUN, LOST, again, *other, END, LATER)).state == "planned"


def test_the_same_queue_id_on_another_host_is_another_message() -> None:
    elsewhere = write(QUEUED, SENT)[0].replace(b" relay ", b" backup ")

    assert judge([*write(BEFORE, CONNECT, CLIENT, BEGUN, LOST, END), elsewhere, *write(LATER)]).state == "planned"


SILENT = (BEFORE, CONNECT, END)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "does not reach back"),
        (write(CONNECT, END, LATER), "does not reach back"),  # begins after it was planned
        (write(BEFORE, "12:09:00 qmgr[3]: 99: removed", LATER)[:2], "nobody connected"),
        (write(BEFORE, CONNECT), "does not reach on"),
        (write(BEFORE, CONNECT, LATER), "does not reach on"),  # a session of that time never ended
        (write(BEFORE, CONNECT, END.replace("12:00:21", "12:00:19")), "does not reach on"),
    ],
)
def test_silence_proves_nothing_where_the_log_does_not_cover_the_time(lines: list[bytes], words: str) -> None:
    found = judge(lines)

    assert found.state == "uncertain"
    assert words in found.reason


def test_silence_is_proof_once_ten_minutes_are_covered() -> None:
    assert judge(write(*SILENT, LATER)).state == "planned"
    assert judge(write(*SILENT[:2], END.replace("12:00:21", "12:00:19"), LATER.replace("12:10", "12:09"))).state == (
        "uncertain"
    )


def test_silence_is_proof_at_once_where_every_session_has_ended() -> None:
    assert judge(write(*SILENT)).state == "planned"
    assert judge(write(*SILENT, "12:00:22 smtpd[8]: connect from host[192.0.2.7]")).state == "uncertain"


def test_a_relay_that_was_started_anew_has_no_session_from_before() -> None:
    started = "12:00:30 master[1]: daemon started -- version 3.7.11, configuration /etc/postfix"

    assert judge(write(BEFORE, CONNECT, CLIENT, started)).state == "planned"


@pytest.mark.parametrize(
    "gap",
    [
        b"Nov 28 12:00:20 relay rsyslogd: imjournal: 4711 messages lost due to rate-limiting",
        b"Nov 28 12:00:20 relay systemd-journald[1]: Suppressed 300 messages from postfix.service",
        b"\0\0\0\0\0\0\0\0Nov 28 12:00:20 relay postfix/qmgr[3]: 99: removed",
    ],
)
def test_a_log_that_lost_lines_cannot_deny_anything(gap: bytes) -> None:
    lines = [*write(BEFORE, CONNECT), gap, *write(END, LATER)]

    if gap[:1] == b"\0":  # after a power cut: nothing dates it but the line before
        lines.insert(2, write(CLIENT)[0])
    assert judge(lines).reason == "lines are missing from the relay's log"
    assert judge([*TAKEN, gap]).state == "sent"


@pytest.mark.parametrize(
    "forged",
    [
        f"12:00:20 smtpd[7]: NOQUEUE: reject: RCPT from x[192.0.2.7]: 4F2A1B3C: message-id={MESSAGE}",
        f"12:00:20 cleanup[8]: 99AB12: message-id=<x> 4F2A1B3C: message-id={MESSAGE}",
        f"12:00:20 cleanup[8]: 99AB12: warning: header Subject: 4F2A1B3C: message-id={MESSAGE}",
        f"12:00:20 cleanup[8]: 99AB12: message-id={MESSAGE} ",
    ],
)
def test_what_strangers_make_the_relay_write_proves_nothing(forged: str) -> None:
    found = judge(write(BEFORE, CONNECT, CLIENT, forged, QUEUED, SENT, END, LATER))

    assert found.state in ("planned", "uncertain")


@given(st.lists(st.binary(max_size=120) | st.sampled_from([*TAKEN, *write(LOST, END, LATER)])))
def test_no_line_breaks_the_reader(lines: list[bytes]) -> None:
    assert judge(lines).state in ("sent", "planned", "uncertain")


@given(st.text(max_size=200))
def test_no_text_in_the_places_of_strangers_makes_a_message_taken(text: str) -> None:
    line = text.replace("\n", " ")
    places = [f"12:00:20 smtpd[7]: {line}", f"12:00:20 cleanup[8]: 99AB12: message-id={line}"]

    assert judge(write(BEFORE, CONNECT, *places)).state != "sent"


@pytest.mark.parametrize(
    ("stamp", "now", "moment"),
    [
        (b"Nov 28 12:00:00", "2026-11-28T13:00", "2026-11-28T11:00:00"),
        (b"Nov  8 12:00:00", "2026-11-28T13:00", "2026-11-08T11:00:00"),
        (b"Jul 28 12:00:00", "2026-11-28T13:00", "2026-07-28T10:00:00"),  # in summer time
        (b"Dec 31 23:59:59", "2027-01-01T00:10", "2026-12-31T22:59:59"),
        (b"Jan  1 00:00:01", "2026-12-31T23:00", "2026-12-31T23:00:01"),
        (b"Nov 29 12:00:00", "2026-11-28T11:30", "2026-11-29T11:00:00"),  # its clock is ahead
        (b"Feb 29 12:00:00", "2028-03-01T00:00", "2028-02-29T11:00:00"),
        (b"2026-11-28T12:00:00.123456+01:00", "2026-11-28T13:00", "2026-11-28T11:00:00.123456"),
        (b"2026-11-28T11:00:00Z", "2026-11-28T13:00", "2026-11-28T11:00:00"),
    ],
)
def test_moments_get_their_year_and_zone(stamp: bytes, now: str, moment: str) -> None:
    read_at = datetime.fromisoformat(now).replace(tzinfo=UTC)

    assert read_stamp(stamp, now=read_at, to_utc=vienna) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize("stamp", [b"Feb 30 12:00:00", b"Foo 28 12:00:00", b"2026-13-28T12:00:00Z", b"", b"\xff"])
def test_what_is_no_moment_is_none(stamp: bytes) -> None:
    assert read_stamp(stamp, now=NOW, to_utc=vienna) is None


def test_an_hour_that_comes_twice_counts_for_coverage_as_the_worse_of_both() -> None:
    early = read_stamp(b"Oct 25 02:30:00", now=NOW, to_utc=vienna)
    late = read_stamp(b"Oct 25 02:30:00", now=NOW, to_utc=vienna, is_late=True)

    assert early is not None
    assert late is not None
    assert late - early == timedelta(hours=1, seconds=1)  # and a second, as it tells no fractions


def test_a_line_without_a_moment_reaches_back_to_nothing() -> None:
    assert first_moment(b"not a line of a log", now=NOW, to_utc=vienna) is None
    assert first_moment(write(BEFORE)[0], now=NOW, to_utc=vienna) == datetime(2026, 11, 28, 10, 58, 1, tzinfo=UTC)
