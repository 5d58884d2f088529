"""D: the network parts, and a sender that was taken for dead comes back."""

import signal

from publisher.transport.session import STALE_INTENT_S
from tests.faults.program import Running
from tests.faults.registry import row
from tests.faults.trial import Trial


@row("D2", "The relay vanishes in mid-run without a word, and comes back: what was in flight is uncertain, resumes")
def partition(trial: Trial) -> None:
    trial.scale *= 0.3
    court = trial.serve(delay_s=0.02)
    trial.open(people=60)
    running = trial.start_send()
    trial.until(lambda: trial.count_accepted() >= 10)

    court.process.send_signal(signal.SIGSTOP)
    running.wait(1000 * trial.scale + 60)
    trial.expect_in_doubt(most=trial.connections * 2)
    trial.expect(not trial.count("failed"), f"held against people: {trial.states}")
    court.process.send_signal(signal.SIGCONT)

    _wait_until_quiet(trial)
    trial.later(minutes=2)
    trial.finish()
    trial.expect_all_sent()


@row("D3", "A sender stopped for long comes back after another took over: its writes are refused, it opens no MAIL")
def zombie(trial: Trial) -> None:
    trial.serve(delay_s=0.05)
    trial.open(people=90)
    first = trial.start_send(failpoint="send-release-lock")
    trial.until(lambda: trial.count_accepted() >= 6)
    _stop_between_transactions(trial, first)
    theirs = max(one["connection"] for one in trial.events())
    before = trial.count_accepted()

    second = trial.start_send()
    trial.until(lambda: trial.count_accepted() >= before + 10 or second.is_over())
    if second.is_over():
        trial.expect(condition=False, words=f"the second sender did not take over: {second.wait().last_words}")
    trial.pause(STALE_INTENT_S + 0.2)  # a lease runs out after a minute; what is younger than a second may begin
    returned_at = trial.now.timestamp()
    first.signal(signal.SIGCONT)
    first.wait()
    second.wait()

    begun = [one for one in trial.events("mail") if one["connection"] <= theirs and one["at"] > returned_at]
    trial.expect(not begun, f"the first one began {len(begun)} messages after it came back")
    trial.finish()
    trial.expect_all_sent()


def _stop_between_transactions(trial: Trial, running: Running) -> None:
    """Within one it would hold the lock of SQLite, and nobody could take over before it goes on."""
    for _ in range(200):
        running.signal(signal.SIGSTOP)
        if not trial.is_locked():
            return
        running.signal(signal.SIGCONT)
        trial.pause(0.005)
    trial.expect(condition=False, words="it was never stopped between two transactions")


def _wait_until_quiet(trial: Trial) -> None:
    """Until the judge has worked off what waited for it."""
    seen = [0]

    def is_quiet() -> bool:
        found = len(trial.events())
        is_same, seen[0] = found == seen[0], found
        trial.pause(0.3)
        return is_same

    trial.until(is_quiet)
