"""G: rights that end while mail goes out. J: what people and deployments do meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from judge_rules import at

from subscribers.tokens import make_unsubscribe_token
from tests.faults.certificates import make_signing_key
from tests.faults.names import name_server
from tests.faults.program import Running
from tests.faults.registry import row
from tests.faults.rows_refusals import next_edition
from tests.faults.trial import GRACE_S, Trial

STOP_S = 5.0
"""Within so long pause and cancel hold (design: §5.8 and issue of dispatch)."""


@row("G1", "Unsubscribed between plan and MAIL: withheld, nothing is sent to them")
def unsubscribed_before(trial: Trial) -> None:
    trial.serve(delay_s=0.03)
    trial.open(people=60)
    with web(trial) as client:
        for address in ("p002@example.org", "q003@example.org"):
            unsubscribe(trial, client, address)
            trial.end_rights(address)
        running = trial.start_send()
        trial.until(lambda: trial.count_accepted() >= 5 or running.is_over())
        unsubscribe(trial, client, "q029@example.org")  # claimed by now, and last in the row
        trial.end_rights("q029@example.org", grace_s=GRACE_S)
        running.wait()

    trial.finish()

    trial.expect_states(sent=57, suppressed=3)


@row("G2", "Unsubscribed during DATA: at most this one, none of the next edition")
def unsubscribed_in_data(trial: Trial) -> None:
    trial.serve(at("dot", "wait:1.5", "keep", "250 2.0.0 kept", who="p003@*"))
    trial.open()
    with web(trial) as client:
        running = trial.start_send()
        trial.until(lambda: any(one["who"] == "p003@example.org" for one in trial.events("dot")))
        unsubscribe(trial, client, "p003@example.org")
        trial.end_rights("p003@example.org")
        running.wait()
    trial.finish()
    trial.expect_all_sent()

    next_edition(trial)
    trial.finish()

    got = [one.recipient for one in trial.accepted].count("p003@example.org")
    trial.expect(got == 1, f"{got} messages to somebody who left")


@row("J1", "Planned and sent by double clicks, and once more: one run")
def double_click(trial: Trial) -> None:
    trial.serve(delay_s=0.005)
    trial.open(is_planned=False)
    edition = trial.open_edition()
    for running in [trial.start("digest", "plan", edition) for _ in range(3)]:
        running.wait()
    trial.owe(edition)

    ends = [running.wait() for running in [*(trial.start_send() for _ in range(3)), trial.start("tick")]]

    trial.expect(any(one.code == 0 for one in ends), f"none came to its end: {[one.err[-100:] for one in ends]}")
    trial.expect(all(one.code in (0, 2) for one in ends), f"ended with {[one.code for one in ends]}")
    trial.expect_all_sent()
    again = trial.send()
    trial.expect(again.code == 0, f"repeating it is an error: {again.last_words}")
    trial.expect_all_sent()


@row("J2", "Pause, resume and cancel in mid-run: each holds within 5 s, nobody gets it twice")
def pause_resume_cancel(trial: Trial) -> None:
    trial.serve(delay_s=0.05)
    trial.open(people=240)
    running = trial.start_send()
    trial.until(lambda: trial.count_accepted() >= 8)
    trial.must("digest", "pause", trial.edition)
    _expect_stopped(trial, running)
    paused_at = trial.count_accepted()
    trial.send()
    trial.expect(trial.count_accepted() == paused_at, "sent while paused")

    trial.resume()
    trial.later(minutes=2)
    running = trial.start_send()
    trial.until(lambda: trial.count_accepted() >= paused_at + 8)
    trial.must("digest", "cancel", trial.edition)
    trial.close_edition()
    _expect_stopped(trial, running)

    trial.send()
    sent = trial.count_accepted()
    trial.expect_states(sent=sent, cancelled=240 - sent)
    trial.expect(sent < 240, "it was over before it was cancelled")


@row("J3", "New code and templates deployed in mid-run: the bytes stay as they were")
def deployed_in_mid_run(trial: Trial) -> None:
    trial.serve(at("dot", "451 4.3.0 later", nth=(2, 6)))
    trial.open()
    trial.die(failpoint="send-after-outcome:4")
    frames = trial.query("SELECT id, frame FROM variants ORDER BY id")

    for _ in range(6):
        trial.send(fault="new-template")
        if trial.states.get("uncertain"):
            trial.resolve()
        trial.wait_for_retry()

    trial.expect(trial.query("SELECT id, frame FROM variants ORDER BY id") == frames, "texts were rendered anew")
    bodies: dict[str, set[str]] = {}
    for one in trial.events("dot"):
        bodies.setdefault(one["who"], set()).add(one["sha256"])
    changed = [who for who, digests in bodies.items() if len(digests) > 1]
    trial.expect(not changed, f"{len(changed)} were tried with other bytes")
    trial.expect_all_sent()


@row("J4", "DKIM key missing, or not the one in DNS: the run is refused, nothing sent")
def no_key(trial: Trial) -> None:
    trial.serve()
    trial.open()
    trial.section("dkim", 'domain = "harbour.example"', 'selector = "s1"', 'key_file = "dkim.pem"')
    _expect_refused(trial, "dkim.pem")

    record = make_signing_key(trial.newsroom.folder / "dkim.pem")
    other = make_signing_key(trial.folder / "other.pem")
    with name_server("s1._domainkey.harbour.example", other) as address:
        trial.section("dns", f'servers = ["{address}"]')
        _expect_refused(trial, "s1._domainkey.harbour.example")

    with name_server("s1._domainkey.harbour.example", record) as address:
        trial.section("dns", f'servers = ["{address}"]')
        trial.finish()
    trial.expect_all_sent()


def _expect_refused(trial: Trial, word: str) -> None:
    ended = trial.send()
    trial.expect(ended.code != 0, "it was not refused")
    trial.expect(word in ended.err + trial.outcome, f"it does not name {word}: {ended.last_words}")
    trial.expect(not trial.events("mail"), "MAIL was said")
    trial.expect_states(planned=len(trial.people))


@row("J5", "A staging copy of production data: only_to lets nobody have mail")
def staging(trial: Trial) -> None:
    trial.serve()
    trial.open(mail='only_to = ["*@staging.example"]')

    trial.finish()

    trial.expect(not trial.events("mail"), "MAIL was said")
    trial.expect_states(suppressed=len(trial.people))


@contextmanager
def web(trial: Trial) -> Iterator[httpx.Client]:
    """A client of the program's own web server."""
    running = trial.start("serve")
    client = httpx.Client(base_url=f"http://127.0.0.1:{trial.web_port}", timeout=30)
    try:
        trial.until(lambda: _answers(client))
        yield client
    finally:
        client.close()
        running.kill()


def unsubscribe(trial: Trial, client: httpx.Client, address: str) -> None:
    """One click, as a mailbox provider posts it (RFC 8058)."""
    (number,) = trial.query("SELECT number FROM digests WHERE id = 'weekly'")[0]
    secret = trial.newsroom.app.secret
    token = make_unsubscribe_token(secret, subscriber_id=trial.ids[address], digest_number=number)
    answer = client.post(f"/u/{token}", data={"List-Unsubscribe": "One-Click"})
    trial.expect(answer.status_code == 200, f"unsubscribing was answered with {answer.status_code}")


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/robots.txt").status_code < 500
    except httpx.TransportError:
        return False


def _expect_stopped(trial: Trial, running: Running) -> None:
    """From now on no message begins later than in five seconds, and the run ends with what is in flight."""
    told_at = trial.now.timestamp()
    running.wait(STOP_S + 600 * trial.scale + 10)
    took_s = trial.now.timestamp() - told_at
    late = [one for one in trial.events("mail") if one["at"] > told_at + STOP_S]
    trial.expect(not late, f"{len(late)} messages began after five seconds")
    trial.expect(took_s < STOP_S, f"the run went on for {took_s:.1f} s")
