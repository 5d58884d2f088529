"""An edition that is planned, and a mail server to be judged by."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from judge_rules import Rule
from judging import Court, Judgement, judge, open_court
from newsroom_app import Newsroom, open_newsroom

from publisher.usecases.sender import FindMore
from publisher.usecases.sending import SendResult, read_result, send_all, send_edition

HANGS_S = 12
"""A run that takes so long has found a hang."""


@dataclass
class Trial:
    """A planned edition, its newsroom, and the judge of the run."""

    newsroom: Newsroom
    court: Court
    edition: str

    def send(self) -> SendResult:
        return send_edition(self.newsroom.app, self.edition)

    @property
    def states(self) -> dict[str, int]:
        return read_result(self.newsroom.app, self.edition).states

    @property
    def judgement(self) -> Judgement:
        return judge(self.newsroom.app, self.edition, self.court)

    @contextmanager
    def next_judge(self, *faults: str | Rule, delay_s: float = 0) -> Iterator[None]:
        """Another judge on the same port, its log going on."""
        with open_court(self.newsroom.folder, *faults, delay_s=delay_s, port=self.court.port):
            yield


@dataclass
class Sending:
    """A run of the sender that is under way."""

    trial: Trial
    stop: asyncio.Event
    task: asyncio.Task[list[SendResult]]

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for it; an AssertionError where the run ends before."""
        while not is_so():
            assert not self.task.done(), f"the run has ended: {self.task}"
            await asyncio.sleep(0.005)

    async def until_accepted(self, count: int) -> None:
        await self.until(lambda: len(self.trial.court.accepted) >= count)


def send_while(
    trial: Trial, meanwhile: Callable[[Sending], Awaitable[None]], *, find_more: FindMore | None = None
) -> list[SendResult]:
    """Send the edition, and those that ``find_more`` finds, with something else going on; the results."""

    async def run() -> list[SendResult]:
        stop = asyncio.Event()
        task = asyncio.create_task(send_all(trial.newsroom.app, [trial.edition], stop=stop, find_more=find_more))
        try:
            async with asyncio.timeout(HANGS_S):
                await meanwhile(Sending(trial, stop, task))
                return await task
        finally:
            task.cancel()

    return asyncio.run(run())


async def nothing(_sending: Sending) -> None:
    """Nothing else goes on."""


Begin = Callable[..., AbstractContextManager[Trial]]


@contextmanager
def begin_trial(
    folder: Path,
    people: int,
    *faults: str | Rule,
    delay_s: float = 0,
    now: datetime | None = None,
    offers: Sequence[str] = (),
    password: str = "",
    **config: Any,
) -> Iterator[Trial]:
    """An edition planned for ``people`` subscribers in two variants, before the judge with these faults.

    ``offers`` are further extensions of the judge, ``password`` is what it takes; ``config`` goes to the newsroom.
    """
    with ExitStack() as stack:
        court = stack.enter_context(open_court(folder, *faults, delay_s=delay_s, offers=offers, password=password))
        moment = now or datetime.now(UTC).replace(microsecond=0)
        newsroom = stack.enter_context(open_newsroom(folder, port=court.port, now=moment, **config))
        newsroom.add_item(released_at=moment - timedelta(days=1))
        newsroom.add_people([f"p{number:03}" for number in range(people - people // 2)])
        if people > 1:
            newsroom.add_people([f"q{number:03}" for number in range(people // 2)], language="fr")
        yield Trial(newsroom, court, newsroom.plan_edition())
