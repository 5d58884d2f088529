"""B: the relay is silent, slow, drops the connection, lies about TLS or says what no server says."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from judge_rules import at

from tests.faults.certificates import make_authority
from tests.faults.registry import row
from tests.faults.rows_refusals import expect_sent_once_well, expect_waiting, secure, trust_authority
from tests.faults.trial import Trial

MALFORMED = (
    "2500 what\r\n",
    "250garbage\r\n",
    "hello\r\n",
    "550-no\r\n250 ok\r\n",
    "354 again\r\n",
    "250 " + "x" * 40_000 + "\r\n",
    "250-\r\n" * 6_000,
)


@row("B2", "The relay's host swallows every packet: given up after 30 s, all wait", needs_time=True)
def black_hole(trial: Trial) -> None:
    trial.open()
    with _black_hole(trial.port):
        ended = trial.send(timeout_s=30 * trial.scale + 60)

    _expect_duration(trial, ended.seconds, 30)
    expect_waiting(trial)
    expect_sent_once_well(trial)


@row("B3", "No banner: given up after 5 min, all wait", needs_time=True)
def no_banner(trial: Trial) -> None:
    trial.serve(at("banner", "silent"))
    trial.open()
    ended = trial.send(timeout_s=300 * trial.scale + 60)

    _expect_duration(trial, ended.seconds, 300)
    expect_waiting(trial)
    expect_sent_once_well(trial)


@row("B7", "STARTTLS stripped: no AUTH, no MAIL, an alarm")
def stripped(trial: Trial) -> None:
    trial.serve(at("starttls", "strip"), password="word", **secure(trial))
    trial.open(security="starttls")
    ended = trial.send()

    _expect_nothing_said(trial)
    trial.expect("starttls" in (ended.err + trial.outcome).lower(), f"it says {ended.last_words}")
    expect_sent_once_well(trial)


@row("B8", "A certificate that is unknown, expired or of another host: no MAIL, an alarm")
def bad_certificate(trial: Trial) -> None:
    trusted = trust_authority(trial)
    authority = make_authority(trial.folder / "other", now=trial.now)
    unknown = authority.certify("unknown", now=trial.now)
    bad = {
        "unknown": unknown,
        "expired": trusted.certify("expired", now=trial.now, days=-1),
        "elsewhere": trusted.certify("elsewhere", now=trial.now, address="127.0.0.2"),
    }
    trial.open(security="starttls")
    for kind, certificate in bad.items():
        trial.serve(certificate=str(certificate))
        ended = trial.send()
        trial.expect("certificate" in (ended.err + trial.outcome).lower(), f"{kind}: it says {ended.last_words}")
        _expect_nothing_said(trial)

    expect_sent_once_well(trial, certificate=str(trusted.certify("relay", now=trial.now)))


@row("B9", "Plain text injected behind the 220 of STARTTLS: the session is dropped")
def injected(trial: Trial) -> None:
    lie = "250-judge\r\n250 AUTH PLAIN\r\n"
    trial.serve(at("starttls", f"inject:{lie}"), password="word", **secure(trial))
    trial.open(security="starttls")
    trial.send()

    _expect_nothing_said(trial)
    expect_sent_once_well(trial)


@row("B18", "354 never comes: given up after 2 min, known as not sent, sent later", needs_time=True)
def no_go_ahead(trial: Trial) -> None:
    trial.serve(at("data", "silent", nth=4))
    trial.open()
    ended = trial.send(timeout_s=120 * trial.scale + 60)

    _expect_duration(trial, ended.seconds, 120)
    trial.expect(trial.count("deferred", "planned") == 1, f"{trial.states}")
    trial.finish()
    trial.expect_all_sent()


@row("B19", "The connection drops mid-body: uncertain, the relay never had it, sent once")
def dropped_mid_body(trial: Trial) -> None:
    trial.serve(at("body", "drop", nth=(3, 4)))
    _expect_settled(trial, uncertain=2)


@row("B20", "The connection drops after the dot and the relay kept it: uncertain, then sent, not repeated")
def dropped_and_kept(trial: Trial) -> None:
    trial.serve(at("dot", "keep", "drop", nth=trial.chance.randint(1, 9)))
    _expect_settled(trial, uncertain=1)


@row("B21", "The connection drops after the dot and the relay discarded it: uncertain, then sent once")
def dropped_and_discarded(trial: Trial) -> None:
    trial.serve(at("dot", "drop", nth=trial.chance.randint(1, 9)))
    _expect_settled(trial, uncertain=1)


@row("B22", "250 after 9 min 50 s: sent", needs_time=True)
def late(trial: Trial) -> None:
    trial.serve(at("dot", "keep", f"wait:{590 * trial.scale - 0.2}", "250 2.0.0 kept", nth=5))
    trial.open()
    trial.send(timeout_s=600 * trial.scale + 60)

    trial.expect_all_sent()


@row("B23", "250 after 11 min: uncertain, then sent, not repeated", needs_time=True)
def too_late(trial: Trial) -> None:
    trial.serve(at("dot", "keep", f"wait:{660 * trial.scale + 0.5}", "250 2.0.0 kept", nth=5))
    _expect_settled(trial, uncertain=1, timeout_s=660 * trial.scale + 60)


@row("B28", "A reply at one byte a second: its whole step has a deadline, others go on", needs_time=True)
def tarpit(trial: Trial) -> None:
    step = trial.chance.choice(("mail", "rcpt"))
    trial.serve(at(step, f"slow:{trial.scale}:250 2.1.0 {'a' * 480}", nth=5))
    trial.open(people=60)
    ended = trial.send(timeout_s=600 * trial.scale + 60)

    trial.expect(ended.seconds < 330 * trial.scale + 12, f"it took {ended.seconds:.1f} s")
    trial.expect(trial.count("sent") >= 59, f"others were held up: {trial.states}")
    trial.finish()
    trial.expect_all_sent()


@row("B29", "Oversized, malformed and two-faced replies: the session is dropped, never taken for an acceptance")
def malformed(trial: Trial) -> None:
    kept = [place % 2 == trial.seed % 2 for place in range(len(MALFORMED))]
    rules = [
        at("dot", *(["keep"] if is_kept else []), f"raw:{text}", nth=2 * place + 1)
        for place, (text, is_kept) in enumerate(zip(MALFORMED, kept, strict=True))
    ]
    trial.serve(*rules)
    _expect_settled(trial, uncertain=len(MALFORMED))


@row("B30", "A 250 that nobody asked for, before our dot: not taken for an acceptance")
def unsolicited(trial: Trial) -> None:
    early = "250 2.0.0 kept already\r\n"
    trial.serve(
        at("data", f"raw:354 go on\r\n{early}", who="p00[1-3]@*"),
        at("rcpt", f"raw:250 2.1.5 ok\r\n{early}", who="p00[4-6]@*"),
        at("dot", "drop", who="p00[1-6]@*"),
    )
    trial.open()
    trial.send()

    wrong = trial.query("SELECT count(*) FROM deliveries WHERE email GLOB 'p00[1-6]@*' AND state IN ('sent', 'failed')")
    trial.expect(wrong[0][0] == 0, f"{wrong[0][0]} are taken as accepted or failed")
    trial.serve()
    trial.finish()
    trial.expect_all_sent()


def _expect_settled(trial: Trial, *, uncertain: int, timeout_s: float = 120) -> None:
    """So many are in doubt after a run; the relay's log then settles each as it was, and all end as sent."""
    trial.open()
    trial.send(timeout_s=timeout_s)
    found = trial.count("uncertain")
    trial.expect(found == uncertain, f"{found} uncertain, expected {uncertain}: {trial.states}")
    had = trial.count_accepted()
    trial.serve()
    trial.resolve()
    trial.expect(trial.count("sent") == had, f"the relay had {had}, settled are {trial.states}")
    trial.finish()
    trial.expect_all_sent()


def _expect_nothing_said(trial: Trial) -> None:
    trial.expect(not trial.events("auth", "mail"), "AUTH or MAIL was said")
    expect_waiting(trial)


def _expect_duration(trial: Trial, seconds: float, full_s: float) -> None:
    wanted = full_s * trial.scale
    trial.expect(wanted * 0.95 <= seconds <= wanted * 1.2 + 12, f"it took {seconds:.1f} s, the limit is {wanted:.1f} s")


@contextmanager
def _black_hole(port: int) -> Iterator[None]:
    """A port whose queue is full: Linux drops every further SYN to it without a word."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.settimeout(0)
            filler.connect_ex(("127.0.0.1", port))
        try:
            yield
        finally:
            for filler in fillers:
                filler.close()
