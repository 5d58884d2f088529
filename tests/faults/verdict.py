"""Running one row and saying what came of it."""

import shutil
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from tests.faults.registry import RedError, Row
from tests.faults.trial import Trial


@dataclass(frozen=True)
class Setting:
    """How a row is to be run."""

    seed: int = 1
    scale: float = 0.01
    is_fresh: bool = False
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
    trial = Trial(folder, setting.seed, setting.scale, setting.is_fresh, setting.without)
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
        account = trial.account()
        if trial.edition:
            trial.expect_report_adds_up()
    except Exception as error:  # noqa: BLE001  (as above)
        return None, f"no account could be drawn up: {error!r}"
    lost, duplicated, unauthorised, uncertain = account.counts
    is_balanced = lost == duplicated == unauthorised == 0 and uncertain <= trial.allowed_uncertain
    words = f"L {lost}, D {duplicated}, X {unauthorised}, U {uncertain} (allowed {trial.allowed_uncertain})"
    return account.counts, "" if is_balanced else words
