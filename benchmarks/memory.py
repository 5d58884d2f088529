"""What a process holds in memory, over time (Linux: ``/proc/self``)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EVERY_S = 0.5

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_FORGET_PEAK = "5"


class Memory:
    """The resident size of this process in MB: its peak since it was forgotten, and samples of it."""

    def __init__(self, *, log: Path) -> None:
        self.log_mb = 0.0
        """The largest that SQLite's write-ahead log has been seen."""
        self._log = log
        self._samples_mb: list[float] = []

    @property
    def peak_mb(self) -> float:
        return _read("VmHWM")

    @property
    def tenths_mb(self) -> list[float]:
        """Samples at the beginning, after each tenth of the time, and at the end."""
        last = len(self._samples_mb) - 1
        return [self._samples_mb[last * tenth // 10] for tenth in range(11)]

    def forget_peak(self) -> None:
        """From now on the peak is that of what follows."""
        _CLEAR.write_text(_FORGET_PEAK)

    @contextmanager
    def sampled(self) -> Iterator[None]:
        """Take samples for the block."""
        is_over = threading.Event()
        sampler = threading.Thread(target=self._sample, args=(is_over,))
        sampler.start()
        try:
            yield
        finally:
            is_over.set()
            sampler.join()

    def _sample(self, is_over: threading.Event) -> None:
        while True:
            self._samples_mb.append(_read("VmRSS"))
            if self._log.exists():
                self.log_mb = max(self.log_mb, self._log.stat().st_size / 1024**2)
            if is_over.wait(EVERY_S):
                return


def _read(name: str) -> float:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) / 1024
