"""An edition to be sent: prepared once, and sent from a fresh copy of its database as often as a benchmark wants."""

import asyncio
import shutil
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import func, select

from benchmarks.newsroom import START, add_items, add_readers, make_app
from publisher.app import App
from publisher.mail.frame import Frame
from publisher.sections import Dkim
from publisher.store.editions import read_frames
from publisher.store.schema_dispatch import deliveries
from publisher.usecases import composer, pump
from publisher.usecases.editions import approve
from publisher.usecases.opening import open_edition
from publisher.usecases.planning import plan
from publisher.usecases.rendering import render_variants
from publisher.usecases.sending import SendResult, send

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Content:
    """What an edition is made of."""

    items: int
    words: int
    """Of each item."""
    mixes: int
    """Of themes and regions; each makes up to three variants."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A database with an edition that is planned and rendered."""

    folder: Path
    name: str
    deliveries: int
    variants: int
    """That have readers."""
    size_bytes: int
    """Of a message on average, without its few personal octets."""

    @contextmanager
    def copied(self, *, port: int, connections: int, dkim: Dkim | None = None) -> Iterator[App]:
        """The application on a copy of it, which is removed afterwards."""
        folder = self.folder.with_name(f"{self.folder.name}.copy")
        shutil.copytree(self.folder, folder)
        app = make_app(folder, smtp_port=port, connections=connections, dkim=dkim)
        try:
            yield app
        finally:
            app.database.close()
            shutil.rmtree(folder)


@dataclass(slots=True)
class Spent:
    """What a run took."""

    deliveries: int
    wall_s: float
    cpu_s: float
    """Of the whole process."""
    ledger_s: float
    """CPU of claims and exchanges alone."""

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.deliveries / self.wall_s

    @property
    def cpu_us(self) -> float:
        """A delivery."""
        return self.cpu_s / self.deliveries * 1e6

    @property
    def ledger_us(self) -> float:
        """A delivery."""
        return self.ledger_s / self.deliveries * 1e6


def prepare(folder: Path, readers: int, content: Content) -> Edition:
    """A new edition for so many readers."""
    folder.mkdir()
    app = make_app(folder)
    name = open_approved(app, readers, content)
    count = plan(app, name)
    render_variants(app, name, stop=lambda: False)
    variants, size_bytes = _describe(app, name)
    app.database.close()
    return Edition(folder, name, count, variants, size_bytes)


def open_approved(app: App, readers: int, content: Content) -> str:
    """The name of an approved edition with so many subscribers to it."""
    add_items(app, content.items, words=content.words)
    add_readers(app, readers, mixes=content.mixes)
    name = open_edition(app, "weekly", since=START).id
    approve(app, name, actor="bench")
    return name


def run_sender(app: App, edition: str) -> tuple[SendResult, Spent]:
    """Send the edition, through the ledger."""
    with _counting_ledger() as ledger:
        started, cpu = time.perf_counter(), time.process_time()
        result = asyncio.run(send(app, edition, stop=asyncio.Event()))
        spent = Spent(result.states["sent"], time.perf_counter() - started, time.process_time() - cpu, sum(ledger))
    return result, spent


@contextmanager
def _counting_ledger() -> Iterator[list[float]]:
    """CPU seconds of all claims and exchanges from now on, as their callers see them."""
    seconds: list[float] = [0.0]
    known = [(composer, "claim_chunk", composer.claim_chunk), (pump, "exchange", pump.exchange)]
    for module, name, call in known:
        setattr(module, name, _timed(call, seconds))
    try:
        yield seconds
    finally:
        for module, name, call in known:
            setattr(module, name, call)


def _timed(call: Callable[..., Result], seconds: list[float]) -> Callable[..., Result]:
    def timed(*given: object, **named: object) -> Result:
        before = time.thread_time()
        try:
            return call(*given, **named)
        finally:
            seconds[0] += time.thread_time() - before

    return timed


def _describe(app: App, name: str) -> tuple[int, int]:
    """How many variants have readers, and the mean size of a message."""
    counted = select(deliveries.c.variant_id, func.count()).where(deliveries.c.edition_id == name)
    with app.database.read() as tx:
        readers = {row[0]: row[1] for row in tx.execute(counted.group_by(deliveries.c.variant_id))}
        frames = read_frames(tx, list(readers))
    sizes = {key: sum(map(len, Frame.from_bytes(zlib.decompress(packed)).chunks)) for key, packed in frames.items()}
    return len(readers), sum(sizes[key] * count for key, count in readers.items()) // sum(readers.values())
