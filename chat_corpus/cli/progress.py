"""Progress of a run: bytes done, rate and time left. Work of earlier runs does not count for the rate."""

from __future__ import annotations

import time
from collections.abc import Callable

from chat_corpus.messages import Message, amount, message, scaled

#: The rate is shown when at least 1/100 of the input was processed: until then, start-up takes most of the time.
_SHOWN_FROM = 100


class Pace:
    """The progress of a run in bytes.

    `total` is the size of the input, `done` what is done, and `worked` the part of it that this run did itself. The
    rest of `done` was done by an earlier run.
    """

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.total, self.done, self.worked = total, 0, 0
        self._clock, self._began = clock, clock()

    def add(self, done: int, *, worked: bool) -> None:
        """Add bytes that are done, at most up to the total; `worked` is true if this run processed them."""
        done = min(done, self.total - self.done)
        self.done += done
        self.worked += done if worked else 0

    @property
    def rate(self) -> float:
        """Bytes per second that this run has processed since it began."""
        return self.worked / max(self._clock() - self._began, 1e-9)

    @property
    def left(self) -> float | None:
        """Seconds to the end at this rate; None if too little was processed to estimate it."""
        return (self.total - self.done) / self.rate if self.worked * _SHOWN_FROM >= self.total else None

    @property
    def described(self) -> Message:
        """The bytes done and, if they are known, rate and time left."""
        number, unit = scaled(self.done)
        total, unit_of_total = scaled(self.total)
        done = message(
            "{done} of {total}",
            done=number if unit == unit_of_total else f"{number} {unit}",
            total=f"{total} {unit_of_total}",
        )
        if self.left is None:
            return done
        return message("{done}, {rate}/s, {seconds:.0f} s left", done=done, rate=amount(self.rate), seconds=self.left)
