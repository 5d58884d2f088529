"""Running one row and saying what came of it."""

import json
import shutil
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from judging import Accepted

from subscribers.tokens import read_unsubscribe_token
from tests.faults.accounting import Acceptance, Account, Delivery, settle_accounts
from tests.faults.registry import RedError, Row
from tests.faults.trial import Trial


@dataclass(frozen=True)
class Setting:
    """How a row is to be run."""

    seed: int = 1
    scale: float = 0.01
    is_fresh: bool = False
    is_long: bool = False
    """Whether the row is run at its full size."""
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What one trial of a row showed."""

    id: str
    title: str
    counts: tuple[int, int, int, int] | None
    """L, D, X, U; None where the trial did not come so far."""
    problem: str
    """Empty where the row is green."""
    seconds: float
    seed: int = 1
    notes: tuple[str, ...] = ()

    @property
    def is_green(self) -> bool:
        return not self.problem


def judge_row(row: Row, setting: Setting) -> Verdict:
    """Play the row in a folder of its own; the accounts are drawn up however it ends."""
    folder = Path(tempfile.mkdtemp(prefix=f"fault-{row.id}-"))
    trial = Trial(
        folder,
        seed=setting.seed,
        scale=setting.scale,
        is_fresh=setting.is_fresh,
        is_long=setting.is_long,
        without=setting.without,
    )
    began_at = time.monotonic()
    try:
        problem = _play(row, trial)
        counts, unbalanced = _account(trial)
    finally:
        trial.close()
        shutil.rmtree(folder, ignore_errors=True)
    seconds = time.monotonic() - began_at
    # What is wrong with the accounts is said first: a row that is red for it has found the worst.
    said = "; ".join(filter(None, (unbalanced, problem)))
    return Verdict(row.id, row.title, counts, said, seconds, setting.seed, tuple(trial.notes))


def draw_account(trial: Trial) -> Account:
    """L, D, X and U as they stand."""
    ledger = trial.query("SELECT edition_id, subscriber_id, email, state FROM deliveries")
    return settle_accounts(
        [_accepted(trial, one) for one in trial.accepted],
        [Delivery(email or "", trial.message_id(edition, person), state) for edition, person, email, state in ledger],
        eligible=trial.owed,
        people=trial.people,
        closed_at=trial.closed_at,
    )


def _accepted(trial: Trial, one: Accepted) -> Acceptance:
    """With the number of the person whose token it carried in place of the token."""
    read = read_unsubscribe_token(trial.newsroom.app.secret, one.token or "")
    token = str(read.subscriber_id) if read else None
    return Acceptance(one.recipient, one.message_id, token, one.language, one.mail_at)


def _check_report(trial: Trial) -> None:
    """The sum over all states is what was planned, in the ledger and as staff see it."""
    report = json.loads(trial.run("digest", "report", trial.edition, "--json").out)
    total = sum(report["states"].values())
    trial.expect(report["planned"] == total == sum(trial.states.values()), f"the report does not add up: {report}")


def _play(row: Row, trial: Trial) -> str:
    try:
        row.play(trial)
    except (RedError, TimeoutError) as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  (one trial that breaks does not stop the others)
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"the trial broke: {error!r} ({Path(last.filename).name}:{last.lineno})"
    return ""


def _account(trial: Trial) -> tuple[tuple[int, int, int, int] | None, str]:
    try:
        account = draw_account(trial)
        if trial.edition:
            _check_report(trial)
    except Exception as error:  # noqa: BLE001  (as above)
        return None, f"no account could be drawn up: {error!r}"
    lost, duplicated, unauthorised, uncertain = account.counts
    are_duplicates_right = (duplicated > 0) == trial.wants_duplicates
    is_balanced = lost == unauthorised == 0 and are_duplicates_right and uncertain <= trial.allowed_uncertain
    words = f"L {lost}, D {duplicated}, X {unauthorised}, U {uncertain} (allowed {trial.allowed_uncertain})"
    return account.counts, "" if is_balanced else words
