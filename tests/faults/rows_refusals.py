"""B: the relay refuses, in words: banner, EHLO, AUTH, MAIL, RCPT, after the dot."""

from judge_rules import FOREVER, Rule, at

from tests.faults.certificates import Authority, make_authority
from tests.faults.registry import row
from tests.faults.trial import Trial

NEWS_PASSWORD = "a long word"


@row("B1", "Connection refused: all wait, sent once the relay is back")
def refused_connection(trial: Trial) -> None:
    trial.open()
    ended = trial.send()

    trial.expect(ended.code == 1, f"it ended with {ended.code}")
    expect_waiting(trial)
    expect_sent_once_well(trial)


@row("B4", "421 at the banner, 421 after some messages: reconnects, nobody is lost")
def closing_relay(trial: Trial) -> None:
    busy = ("421 4.3.2 busy", "drop")
    after = trial.chance.randint(2, 5)
    enough = at("mail", *busy, nth=(after + 1, FOREVER), is_per_connection=True)
    trial.serve(at("banner", *busy, nth=(3, 4)), enough)
    trial.open()

    trial.finish()

    trial.expect_all_sent()


@row("B5", "554 at the banner: all wait, nobody is suppressed")
def no_service(trial: Trial) -> None:
    trial.serve(at("banner", "554 5.3.2 no service here", "drop"))
    trial.open()
    trial.send()

    expect_waiting(trial)
    trial.expect(len(trial.events("banner")) <= trial.connections + 1, "it went on connecting")
    expect_sent_once_well(trial)


@row("B6", "EHLO refused: HELO only where the configuration allows it, else all wait")
def no_ehlo(trial: Trial) -> None:
    trial.serve(at("ehlo", "502 5.5.1 never heard of it"))
    trial.open()
    trial.send()
    expect_waiting(trial)
    trial.expect(not trial.events("helo", "mail"), "it said HELO or MAIL unasked")

    configure(trial, "allow_helo = true")
    trial.finish()

    trial.expect_all_sent()


@row("B10", "AUTH 535: all wait, at most one attempt a minute, nobody is suppressed")
def wrong_password(trial: Trial) -> None:
    _open_with_password(trial, at("auth", "535 5.7.8 wrong password"))
    trial.send()
    expect_waiting(trial)

    attempts = len(trial.events("auth"))
    for _ in range(12):
        trial.later(seconds=15)
        trial.run("tick")

    attempts = len(trial.events("auth")) - attempts
    trial.expect(1 <= attempts <= 4, f"{attempts} attempts in three minutes")
    expect_sent_once_well(trial)


@row("B11", "AUTH 454: all wait, sent when it passes")
def authentication_out_of_order(trial: Trial) -> None:
    _open_with_password(trial, at("auth", "454 4.7.0 temporary failure"))
    trial.send()

    expect_waiting(trial)
    trial.expect(not trial.events("mail"), "MAIL without authentication")
    expect_sent_once_well(trial)


@row("B12", "MAIL 451 or 452: deferred, sent later")
def sender_deferred(trial: Trial) -> None:
    reply = trial.chance.choice(("451 4.3.0 try again", "452 4.3.1 no space"))
    trial.serve(at("mail", reply, nth=(2, 9)))
    trial.open()
    trial.send()

    trial.expect(trial.count("deferred", "planned") >= 1, f"nothing is deferred: {trial.states}")
    trial.finish()
    trial.expect_all_sent()


@row("B13", "MAIL 550 5.7.x, our sender is refused: paused, no address is suppressed")
def sender_refused(trial: Trial) -> None:
    trial.serve(at("mail", "550 5.7.1 sender refused"))
    trial.open()
    trial.send()

    expect_waiting(trial)
    trial.expect(trial.is_paused, "the edition is not paused")
    tried = len(trial.events("mail"))
    trial.expect(tried <= trial.connections * 2, f"{tried} attempts before the pause")
    expect_sent_once_well(trial)


@row("B14", "Greylisted for ten minutes: the same sender and recipient, taken on a later try")
def greylisted(trial: Trial) -> None:
    trial.serve(at("rcpt", "greylist:600", "250 2.1.5 ok"))
    trial.open()
    trial.send()
    trial.expect(trial.count("deferred", "planned") == len(trial.people), f"not deferred: {trial.states}")

    trial.finish()

    trial.expect_all_sent()


@row("B15", "RCPT 550 5.1.1: failed and suppressed, later editions leave them out")
def no_such_mailbox(trial: Trial) -> None:
    trial.serve(at("rcpt", "550 5.1.1 no such mailbox", who="p00[12]@*"))
    trial.open()
    trial.finish()
    trial.expect_states(sent=len(trial.people) - 2, failed=2)
    trial.expect(trial.suppressed == 2, f"{trial.suppressed} are suppressed")
    for name in ("p001@example.org", "p002@example.org"):
        trial.end_rights(name)

    tried = len([one for one in trial.events("rcpt") if one["who"][:4] in ("p001", "p002")])
    next_edition(trial)
    trial.finish()

    again = len([one for one in trial.events("rcpt") if one["who"][:4] in ("p001", "p002")])
    trial.expect(again == tried == 2, "somebody who is suppressed was tried again")
    trial.expect_states(sent=len(trial.people) - 2)


@row("B16", "RCPT 550 5.7.1: failed by policy, nobody suppressed; when it is many, the edition is held")
def policy(trial: Trial) -> None:
    trial.serve(at("rcpt", "550 5.7.1 policy", who="p00[12]@*"))
    trial.open(people=300)
    trial.finish()
    trial.expect_states(sent=298, failed=2)

    next_edition(trial)
    trial.serve(at("rcpt", "550 5.7.1 policy"))
    trial.send()

    expect_held_early(trial)


@row("B17", "RCPT 452 4.2.2 or 552 5.2.2, mailbox full: soft, suppressed only by rule")
def mailbox_full(trial: Trial) -> None:
    full = at("rcpt", "452 4.2.2 mailbox full", who="p00*"), at("rcpt", "552 5.2.2 mailbox full", who="q00[12]@*")
    trial.serve(*full)
    trial.open()
    trial.send()
    trial.expect(trial.count("deferred") >= 10, f"452 is not deferred: {trial.states}")
    trial.expect(trial.suppressed == 0, f"{trial.suppressed} are suppressed")

    trial.serve()
    trial.finish()

    trial.expect(trial.suppressed == 0, f"{trial.suppressed} are suppressed")
    trial.expect(trial.count("sent", "failed") == len(trial.people) and trial.count("failed") <= 2, f"{trial.states}")


@row("B24", "451 after the dot: deferred, sent again once")
def deferred_after_dot(trial: Trial) -> None:
    trial.serve(at("dot", "451 4.3.0 try again", nth=(3, 7)))
    trial.open()
    trial.send()

    trial.expect(trial.count("deferred") == 5, f"not deferred: {trial.states}")
    trial.finish()
    trial.expect_all_sent()


@row("B25", "554 after the dot, this content: failed by policy, held after 2 % of 200")
def content_refused(trial: Trial) -> None:
    reply = trial.chance.choice(("554 5.7.1 looks like spam", "554 5.6.0 not this content"))
    trial.serve(at("dot", reply))
    trial.open(people=300)

    trial.send()

    expect_held_early(trial)
    expect_sent_once_well(trial, failed=trial.count("failed"))


@row(
    "B26", "550 5.7.26 or 5.7.515, our domain is set up wrongly: that provider waits, staff are told, nobody suppressed"
)
def provider_distrusts(trial: Trial) -> None:
    code = trial.chance.choice(("5.7.26", "5.7.515"))
    trial.serve(at("dot", f"550 {code} not authenticated by SPF or DKIM", who="*@big.example"))
    trial.open(people=80, is_planned=False)
    trial.move_readers("?0?[02468]@*", "big.example")
    trial.plan()
    ended = trial.send()

    tried = len([one for one in trial.events("dot") if one["who"].endswith("@big.example")])
    trial.expect(tried <= trial.connections * 2 + 4, f"{tried} messages for the provider before it was left alone")
    trial.expect(not trial.count("failed") and not trial.suppressed, f"held against people: {trial.states}")
    sent = {one.recipient for one in trial.accepted}
    others = {one for one in trial.people if not one.endswith("@big.example")}
    trial.expect(sent == others, f"{len(sent & others)} of {len(others)} at other providers were sent")
    told = ended.err + trial.outcome + trial.run("digest", "report", trial.edition).out
    trial.expect(code in told, f"staff are not told of {code}: {trial.outcome}")
    expect_sent_once_well(trial)


@row("B27", "421 4.7.28, too fast: fewer connections, slower, all delivered later")
def rate_limited(trial: Trial) -> None:
    trial.serve(at("rcpt", "421 4.7.28 rate limit, slow down", "drop", nth=(5, FOREVER)))
    trial.open(people=60)
    trial.send()

    hits = len(trial.events("rcpt")) - 4
    # What is open when the first answer comes is tried, and so is the group begun before that was recorded.
    trial.expect(
        hits <= trial.connections * 2 * 2 + trial.connections,
        f"it ran into the limit {hits} times before it slowed down",
    )
    trial.expect(not trial.count("failed", "uncertain"), f"{trial.states}")
    expect_sent_once_well(trial)


@row("B31", "No SMTPUTF8 for an address that needs it: that one fails and says why, the others go")
def no_smtputf8(trial: Trial) -> None:
    trial.serve(offers=("PIPELINING", "8BITMIME"))
    trial.open(is_planned=False)
    trial.add_reader_names(["josé"], "fr")
    trial.plan()

    trial.finish()

    trial.expect_states(sent=len(trial.people) - 1, failed=1)
    trial.expect("smtputf8" in trial.replies("failed")[0].lower(), f"it says {trial.replies('failed')}")
    trial.expect(trial.suppressed == 0, "somebody is suppressed")


@row("B32", "SIZE too small for our messages: the run is refused before anything is sent")
def size_too_small(trial: Trial) -> None:
    trial.serve(offers=("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 1000"))
    trial.open()
    ended = trial.send()

    trial.expect(ended.code != 0, "nothing is said")
    trial.expect("size" in (ended.err + trial.outcome).lower(), f"it says {ended.last_words} {trial.outcome}")
    trial.expect(not trial.events("mail"), "MAIL was said")
    expect_waiting(trial)
    expect_sent_once_well(trial, offers=("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 10000000"))


@row("B33", "Codes that contradict each other: the first digit rules")
def contradictory_codes(trial: Trial) -> None:
    trial.serve(
        at("rcpt", "250 5.1.1 no such mailbox, but fine", who="p001@*"),
        at("rcpt", "550 4.2.2 try again, but never", who="p002@*"),
        at("rcpt", "450 5.1.1 no such mailbox, but later", who="p003@*", nth=(1, FOREVER)),
        at("dot", "keep", "250 5.6.0 bad, but kept", who="p004@*"),
        at("dot", "554 2.0.0 fine, but no", who="p005@*"),
    )
    trial.open()
    trial.send()

    states = dict(trial.query("SELECT substr(email, 1, 4), state FROM deliveries WHERE email LIKE 'p00%'"))
    expected = {"p001": "sent", "p002": "failed", "p003": "deferred", "p004": "sent", "p005": "failed"}
    found = {name: states[name] for name in expected}
    trial.expect(found == expected, f"{found}")
    trial.expect(trial.suppressed == 0, "somebody is suppressed by the text of a reply")
    trial.serve()
    trial.finish()
    trial.expect_states(sent=len(trial.people) - 2, failed=2)


def expect_waiting(trial: Trial) -> None:
    """Nothing was sent, nothing is in doubt, nobody was given up or suppressed."""
    found = trial.states
    trial.expect(not set(found) - {"planned", "deferred"}, f"states are {found}")
    trial.expect(not trial.accepted, "something was sent")
    trial.expect(trial.suppressed == 0, f"{trial.suppressed} are suppressed")
    trial.expect(trial.outcome.startswith("held"), f"the edition does not say that it waits: {trial.outcome!r}")


def expect_sent_once_well(trial: Trial, *, failed: int = 0, **options: object) -> None:
    """With a relay that has got well, and after a pause is ended, the rest is sent."""
    trial.serve(**options)
    if trial.is_paused:
        trial.resume()
    trial.later(hours=2)
    trial.finish()
    total = sum(trial.states.values())
    trial.expect_states(**({"failed": failed} if failed else {}), sent=total - failed)


def expect_held_early(trial: Trial) -> None:
    """The edition is held before more than 200 people were given up, and nobody is suppressed."""
    failed = trial.count("failed")
    trial.expect(0 < failed <= 200 + trial.connections * 2, f"{failed} failed before it was held")
    trial.expect(trial.count("planned", "deferred") > 0, f"nobody is left to wait: {trial.states}")
    trial.expect(trial.outcome.startswith("held"), f"the edition says {trial.outcome!r}")
    trial.expect(trial.suppressed == 0, f"{trial.suppressed} are suppressed")


def next_edition(trial: Trial) -> None:
    """A week later, with something new."""
    trial.later(days=7)
    trial.add_item()
    trial.plan()


def configure(trial: Trial, line: str) -> None:
    """Add a line to the section ``[smtp]``."""
    file = trial.newsroom.config_file
    file.write_text(file.read_text().replace("[web]", f"{line}\n[web]"))


def secure(trial: Trial) -> dict[str, str]:
    """What makes the program trust an authority of ours, and the judge have its certificate."""
    return {"certificate": str(trust_authority(trial).certify("relay", now=trial.now))}


def trust_authority(trial: Trial) -> Authority:
    """An authority that the program trusts from now on."""
    authority = make_authority(trial.folder / "ca", now=trial.now)
    trial.environment["SSL_CERT_FILE"] = str(authority.file)
    return authority


def _open_with_password(trial: Trial, *rules: Rule) -> None:
    trial.serve(*rules, password=NEWS_PASSWORD, **secure(trial))
    (trial.folder / "newsroom").mkdir(exist_ok=True)
    (trial.folder / "newsroom" / "password").write_text(NEWS_PASSWORD)
    trial.open(security="starttls", smtp='username = "news"\npassword_file = "password"')
