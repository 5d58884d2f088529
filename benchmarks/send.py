"""How fast an edition is sent next to smtp-source, same sink, same run: ``python -m benchmarks.send [MESSAGES]``.

Ours goes through the ledger with ``synchronous=FULL``, with personal links, in hundreds of variants.
"""

import asyncio
import sys
import tempfile
import time
import zlib
from pathlib import Path

from sqlalchemy import select

from benchmarks.newsroom import START, add_items, add_subscribers, make_app
from benchmarks.sink import measure_source, sink
from publisher.app import App
from publisher.mail.frame import Frame
from publisher.store.editions import read_frames
from publisher.store.schema_dispatch import deliveries
from publisher.usecases.editions import approve
from publisher.usecases.opening import open_edition
from publisher.usecases.planning import plan
from publisher.usecases.rendering import render_variants
from publisher.usecases.sending import SendResult, send

CONNECTIONS = 10


def main() -> None:
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder, sink() as port:
        app = make_app(Path(folder), smtp_port=port, connections=CONNECTIONS)
        add_items(app, 20, words=110)
        add_subscribers(app, round(messages * 1.3))
        edition = open_edition(app, "weekly", since=START).id
        approve(app, edition, actor="bench")
        plan(app, edition)
        started = time.perf_counter()
        render_variants(app, edition, stop=lambda: False)
        rendering = time.perf_counter() - started
        size = _mean_size(app, edition)
        result, ours, cpu = _measure(app, edition)
        sent = result.states["sent"]
        theirs = measure_source(port, messages=sent, size=size, sessions=CONNECTIONS)
    print(f"render: {result.variants} variants in {rendering:.2f} s, {rendering / result.variants * 1e3:.1f} ms each")
    print(f"send: {sent:,} messages of {size / 1024:.0f} KB in {result.variants} variants, {CONNECTIONS} connections")
    print(f"  publisher    {sent / ours:8,.0f} messages/s, {cpu / sent * 1e6:.0f} µs of CPU a message")
    print(f"  smtp-source  {sent / theirs:8,.0f} messages/s")
    print(f"  ratio        {theirs / ours:8.2f}")


def _measure(app: App, edition: str) -> tuple[SendResult, float, float]:
    started, cpu = time.perf_counter(), time.process_time()
    result = asyncio.run(send(app, edition, stop=asyncio.Event()))
    return result, time.perf_counter() - started, time.process_time() - cpu


def _mean_size(app: App, edition: str) -> int:
    """Of the messages to be sent, without their few personal octets."""
    with app.database.read() as tx:
        used = tx.execute(select(deliveries.c.variant_id).where(deliveries.c.edition_id == edition)).scalars().all()
        frames = read_frames(tx, set(used))
    sizes = {key: sum(map(len, Frame.from_bytes(zlib.decompress(packed)).chunks)) for key, packed in frames.items()}
    return sum(sizes[key] for key in used) // len(used)


if __name__ == "__main__":
    main()
