"""How far a run is, how fast it is and how long the rest will take, without flattering itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from chat_corpus.messages import Message, amount, message, scaled

#: A rate is shown from this part of the whole on: before, starting up has taken most of the time.
_SHOWN_FROM = 100


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
        """Seconds to the end at this rate; None as long as too little is done to know."""
        return (self.total - self.done) / self.rate if self.worked * _SHOWN_FROM >= self.total else None

    @property
    def described(self) -> Message:
        """Amount done, rate and time left, as far as they are known."""
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
