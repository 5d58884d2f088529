"""Rows side by side, each worker a process that has the program imported and the shim before it."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

from tests.faults.registry import all_rows
from tests.faults.verdict import Setting, Verdict, judge_row


@dataclass(frozen=True)
class Task:
    """A trial to be run."""

    row: str
    setting: Setting


def run_tasks(tasks: list[Task], *, workers: int, tell: Callable[[Task, Verdict], None]) -> dict[Task, Verdict]:
    """The verdict of each; ``tell`` hears them as they come."""
    verdicts = {}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_warm_up) as pool:
        running = {pool.submit(_judge, task): task for task in tasks}
        for done in as_completed(running):
            task = running[done]
            verdicts[task] = done.result()
            tell(task, verdicts[task])
    return verdicts


def _warm_up() -> None:
    """What every command imports is imported before the first fork."""
    import publisher.cli.main  # noqa: PLC0415
    import publisher.usecases.sending  # noqa: PLC0415
    import publisher.web.server  # noqa: F401, PLC0415


def _judge(task: Task) -> Verdict:
    return judge_row(next(one for one in all_rows() if one.id == task.row), task.setting)
