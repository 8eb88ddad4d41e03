"""How far a run is, how fast it goes and how long that will take, without flattering itself."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Told the name of a source, how many bytes of its files on disk are done with, and whether this run worked for them.
Progress = Callable[[str, int, bool], object]


def silent(source: str, done: int, worked: bool) -> None:
    """Progress that nobody is told of."""


class Pace:
    """The pace of a run: what an earlier run has done brings the end nearer, but makes this one no faster."""

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.total, self.done, self.worked = total, 0, 0
        self._clock, self._began = clock, clock()

    def add(self, done: int, *, worked: bool) -> None:
        """Count bytes that are done with, never more than there are."""
        done = min(done, self.total - self.done)
        self.done += done
        self.worked += done if worked else 0

    @property
    def rate(self) -> float:
        """Bytes a second that this run has worked through since it began."""
        return self.worked / max(self._clock() - self._began, 1e-9)

    @property
    def left(self) -> float | None:
        """Seconds to the end at this rate; None as long as there is none."""
        return (self.total - self.done) / self.rate if self.worked else None

    def __str__(self) -> str:
        """Amount done, rate and time left, as far as they are known."""
        amount = f"{self.done / 1e6:,.0f} of {self.total / 1e6:,.0f} MB"
        left = self.left
        return amount if left is None else f"{amount}, {self.rate / 1e6:.1f} MB/s, {left:.0f} s left"
