"""How long planning takes, and how much memory: ``python -m benchmarks.plan [SUBSCRIBERS]``."""

import resource
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.newsroom import START, add_items, add_subscribers, make_app
from publisher.usecases.editions import approve
from publisher.usecases.opening import open_edition
from publisher.usecases.planning import plan
from publisher.usecases.sending import read_result


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        app = make_app(Path(folder))
        add_items(app, 40)
        add_subscribers(app, count)
        edition = open_edition(app, "weekly", since=START)
        approve(app, edition.id, actor="bench")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        planned = plan(app, edition.id)
        seconds = time.perf_counter() - started
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
        variants = read_result(app, edition.id).variants
    print(f"plan: {count:,} subscribers → {planned:,} deliveries, {variants:,} variants: {seconds:.2f} s, +{grown} MB")


if __name__ == "__main__":
    main()
