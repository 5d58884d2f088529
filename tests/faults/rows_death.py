"""A: the process dies, or is asked to, at each point of its work."""

import signal
import time

from judge_rules import at

from tests.faults.registry import row
from tests.faults.trial import Trial


@row("A1", "Killed before the plan is committed: no rows, the next start plans all")
def killed_before_plan_commit(trial: Trial) -> None:
    trial.serve()
    trial.open(is_planned=False)
    edition = trial.open_edition()

    trial.die("digest", "plan", edition, failpoint="plan-before-commit")

    trial.expect_states()
    trial.must("digest", "plan", edition)
    trial.owe(edition)
    trial.finish()
    trial.expect_all_sent()


@row("A2", "Killed mid-plan, and planned again over what is there: one delivery for each reader")
def killed_mid_plan(trial: Trial) -> None:
    trial.serve()
    trial.open(is_planned=False)
    edition = trial.open_edition()
    trial.die("digest", "plan", edition, failpoint="plan-before-deliveries")
    trial.must("digest", "plan", edition)
    trial.owe(edition)

    # As if the mark that it is planned had been lost: the key alone is left to keep deliveries apart.
    trial.execute("UPDATE editions SET state = 'approved', planned_at = NULL WHERE id = ?", edition)
    trial.must("digest", "plan", edition)

    trial.execute("UPDATE editions SET state = 'planned' WHERE id = ?", edition)
    trial.finish()
    trial.expect_states(sent=len(trial.people))


@row("A3", "Killed after the plan, before the first claim: the next start sends all")
def killed_after_plan(trial: Trial) -> None:
    trial.serve()
    trial.open(is_planned=False)
    edition = trial.open_edition()

    trial.die("digest", "plan", edition, failpoint="plan-after-commit")

    trial.owe(edition)
    trial.expect_states(planned=len(trial.people))
    trial.finish()
    trial.expect_all_sent()


@row("A4", "Killed after claiming, before an intent: claimed anew, sent once")
def killed_after_claim(trial: Trial) -> None:
    trial.serve()
    trial.open()

    trial.die(failpoint="send-after-claim")

    trial.expect_in_doubt(most=0)
    trial.expect(not trial.accepted, "something was sent before an intent")
    trial.finish()
    trial.expect_all_sent()


@row("A5", "Killed after the intent, before MAIL: uncertain, the relay never had it, sent once")
def killed_before_mail(trial: Trial) -> None:
    _die_and_settle(trial, "send-after-intent")


@row("A6", "Killed after RCPT, before DATA: as A5")
def killed_before_data(trial: Trial) -> None:
    _die_and_settle(trial, "send-before-data")


@row("A7", "Killed mid-body: the relay discards it, as A5")
def killed_mid_body(trial: Trial) -> None:
    _die_and_settle(trial, "send-mid-body")


@row("A8", "Killed after the dot, before its 250 is read: uncertain, the relay has it, sent")
def killed_after_dot(trial: Trial) -> None:
    _die_and_settle(trial, "send-after-dot")


@row("A9", "Killed after the 250, before the outcome is committed: as A8")
def killed_after_reply(trial: Trial) -> None:
    _die_and_settle(trial, "send-after-reply")


@row("A10", "Killed after the outcome is committed: not sent again")
def killed_after_outcome(trial: Trial) -> None:
    trial.serve()
    trial.open()

    trial.die(failpoint=f"send-after-outcome:{trial.chance.randint(2, 4)}")

    before = {one.message_id for one in trial.accepted}
    trial.expect_in_doubt()
    trial.finish()
    after = [one.message_id for one in trial.accepted]
    trial.expect(all(after.count(one) == 1 for one in before), "something was sent again")
    trial.expect_all_sent()


@row("A11", "Killed while a run is closed: running it again does nothing twice")
def killed_while_closing(trial: Trial) -> None:
    trial.serve(at("rcpt", "450 4.2.0 later", nth=(1, 3)))
    trial.open()

    trial.die(failpoint="send-before-release")

    trial.finish()
    trial.expect_all_sent()


@row("A12", "Killed while a retry date is written: deferred or planned, sent once")
def killed_while_deferring(trial: Trial) -> None:
    trial.serve(at("rcpt", "450 4.2.0 later", nth=(1, 8)))
    trial.open()

    trial.die(failpoint=f"send-before-commit:{trial.chance.randint(2, 3)}")

    trial.finish()
    trial.expect_all_sent()


@row("A16", "SIGTERM while sending: what is in flight ends, nothing is uncertain")
def told_to_end(trial: Trial) -> None:
    trial.serve(delay_s=0.03)
    trial.open(people=60)
    running = trial.start_send()
    trial.until(lambda: trial.count_accepted() >= 10)

    running.signal(signal.SIGTERM)
    ended = running.wait(600 * trial.scale + 20)

    trial.expect(ended.code == 0, f"it ended with {ended.code}: {ended.last_words}")
    trial.expect(trial.count_accepted() < 60, "it did not end before all was sent")
    trial.expect_in_doubt(most=0)
    trial.finish()
    trial.expect_all_sent()


@row("A17", "An exception or a cancelled task in DATA: uncertain, never called failed or tried again unasked")
def broken_in_data(trial: Trial) -> None:
    trial.serve()
    trial.open()
    fault = "cancel-after-body" if trial.seed % 2 else "break-after-body"

    trial.send(fault=fault)

    trial.expect(not trial.count("failed"), "what was broken by us is called failed")
    trial.expect_in_doubt(least=1)
    trial.finish()
    trial.expect_all_sent()


@row("A19", "Killed again and again at random moments of one run: finishes, nobody lost, nobody twice", needs_time=True)
def killed_at_random(trial: Trial) -> None:
    kills, people = MANY_KILLS if trial.is_long else KILLS
    trial.scale = 0.01
    trial.serve()
    trial.open(people=people, connections=10)
    done = worst = 0
    while done < kills:
        running = trial.start_send()
        target = trial.count_accepted() + trial.chance.randint(0, people // kills // 2)
        trial.until(lambda running=running, target=target: trial.count_accepted() >= target or running.is_over())
        time.sleep(trial.chance.random() * 0.05)
        if running.is_over() and not trial.count("planned", "claimed", "sending", "deferred"):
            break
        running.kill()
        done += 1
        worst = max(worst, trial.count("sending"))
    trial.expect(worst <= 20, f"{worst} intents were open at a kill")
    trial.notes.append(f"{done} kills, at most {worst} intents open")
    trial.expect(done >= kills * 0.9, f"it was over after {done} kills")
    trial.finish()
    trial.expect_all_sent()


KILLS, MANY_KILLS = (40, 4_000), (500, 100_000)
"""How many kills, in a run of how many messages."""


def _die_and_settle(trial: Trial, failpoint: str) -> None:
    """Die at the point; what was in flight is uncertain until the relay's log tells, and then as it tells."""
    trial.serve()
    trial.open()
    trial.die(failpoint=f"{failpoint}:{trial.chance.randint(1, 9)}")
    trial.expect_in_doubt(least=1)
    had = {one.message_id for one in trial.accepted}

    trial.send()
    trial.resolve()

    trial.expect(not trial.count("uncertain"), f"the relay's log did not settle all: {trial.states}")
    again = [one.message_id for one in trial.accepted if one.message_id in had]
    trial.expect(len(again) == len(had), "something that the relay had was sent again")
    trial.finish()
    trial.expect_all_sent()
