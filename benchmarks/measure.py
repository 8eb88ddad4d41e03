"""Time a command and the floor: what reading, decoding, encoding and writing the same bytes costs in Python."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: For blocks of 16 MB the same takes half as long again: Linux is slow to take megabytes in one write.
_BLOCK = 1 << 20
#: Seconds between two samples of memory. The kernel visits all pages of a process for one: 7 ms for 350 MB.
_INTERVAL = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """Wall and processor seconds of a command, and the peak MB with its children (0: unknown).

    Memory is the proportional set size: pages of libraries that processes share count once.
    """

    seconds: float
    processor: float
    peak_mb: float
    code: int


def floor(files: list[Path], scratch: Path) -> float:
    """Seconds to read, decode, encode and write `files`, the best of three."""
    return min(_copy(files, scratch) for _ in range(3))


def _copy(files: list[Path], scratch: Path) -> float:
    clock = time.perf_counter()
    for file in files:
        with file.open("rb") as source, scratch.open("wb") as target:
            rest = b""
            while block := source.read(_BLOCK):
                lines, _, tail = (rest + block).rpartition(b"\n")
                target.write(lines.decode("utf-8", "surrogateescape").encode("utf-8", "surrogateescape") + b"\n")
                rest = tail
            target.write(rest)
    return time.perf_counter() - clock


def command(arguments: list[str]) -> Timing:
    """Run a command to its end, its output thrown away."""
    clock, before = time.perf_counter(), os.times()
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:  # noqa: S603 ours
        watch = _Watch(process.pid)
        watch.start()
        _, errors = process.communicate()
        seconds = time.perf_counter() - clock
        watch.stop()
    if process.returncode not in (0, 3):
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}: {errors.decode()[-2000:]}")
    after = os.times()
    processor = after.children_user - before.children_user + after.children_system - before.children_system
    return Timing(seconds=seconds, processor=processor, peak_mb=watch.peak / 1e6, code=process.returncode)


class _Watch(threading.Thread):
    """Sample the memory of a process and its descendants (proportional set size), where there is /proc."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._ended = pid, threading.Event()
        self.peak = 0

    def run(self) -> None:
        while not self._ended.wait(_INTERVAL):
            self.peak = max(self.peak, sum(_proportional(pid) for pid in _family(self._pid)))

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = [
            child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
        ]
    except OSError:  # it, or a thread of it, ended meanwhile
        return
    for child in children:
        yield from _family(int(child))


def _proportional(pid: int) -> int:
    """Bytes of a process, each shared page divided by the number of processes that share it."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it ended meanwhile, or there is no /proc
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
