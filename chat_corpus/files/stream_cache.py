"""Open streams that can only be read on, kept for whoever reads on where another has stopped."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import IO


class StreamCache:
    """Up to `most` open streams, each under a key that says what it is a stream of.

    A stream is in the cache or in use, never both. Several of one key have been read to different positions; of those
    that are not beyond a position, the nearest is read on. The one that was not used for longest goes first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: list[tuple[Hashable, IO[bytes]]] = []  # the one used last is the last

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, key: Hashable, position: int) -> IO[bytes] | None:
        """The stream of a key that is nearest to a position, and not beyond it: now the caller's, who closes it."""
        fit = [one for one in self._waiting if one[0] == key and one[1].tell() <= position]
        chosen = max(fit, key=lambda one: one[1].tell(), default=None)
        if chosen is None:
            return None
        self._waiting.remove(chosen)
        return chosen[1]

    @contextmanager
    def use(self, key: Hashable, position: int, start: Callable[[], IO[bytes]]) -> Iterator[IO[bytes]]:
        """A stream that has `position` before it, else one that is `start`-ed, and where it ends there, its end.

        Afterwards it waits in the cache; where reading fails, it is closed.
        """
        stream = self.take(key, position) or start()
        try:
            read_on(stream, position)
            yield stream
        except BaseException:
            stream.close()
            raise
        self._waiting.append((key, stream))
        while len(self._waiting) > self._most:
            self._waiting.pop(0)[1].close()

    def drop(self, key: Hashable) -> None:
        """Close the streams of a key."""
        for one in [one for one in self._waiting if one[0] == key]:
            self._waiting.remove(one)
            one[1].close()

    def close(self) -> None:
        """Close all of them."""
        while self._waiting:
            self._waiting.pop()[1].close()


def read_on(stream: IO[bytes], position: int) -> None:
    """Read on to a position, or to the end where that comes first."""
    while (gap := position - stream.tell()) > 0 and stream.read(min(gap, 1 << 20)):
        pass
