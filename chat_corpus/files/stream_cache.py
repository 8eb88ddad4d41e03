"""A cache of open streams that can only be read forward, so that a later read continues where the last one stopped."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import IO


class StreamCache:
    """Up to `most` open streams, each under a key that names its file.

    A stream is either in the cache or in use. A key may have several streams at different positions; a read takes the
    nearest one that is not beyond its position. A full cache closes the least recently used stream.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: list[tuple[Hashable, IO[bytes]]] = []  # the most recently used is the last

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, key: Hashable, position: int) -> IO[bytes] | None:
        """Return the stream of a key that is nearest to a position and not beyond it; the caller must close it."""
        usable = [entry for entry in self._waiting if entry[0] == key and entry[1].tell() <= position]
        chosen = max(usable, key=lambda entry: entry[1].tell(), default=None)
        if chosen is None:
            return None
        self._waiting.remove(chosen)
        return chosen[1]

    @contextmanager
    def use(self, key: Hashable, position: int, start: Callable[[], IO[bytes]]) -> Iterator[IO[bytes]]:
        """Yield a stream of a key at `position`, or at its end if that comes first; open a new one with `start`.

        Afterwards the stream is in the cache; if the block raises, it is closed.
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
        for entry in [entry for entry in self._waiting if entry[0] == key]:
            self._waiting.remove(entry)
            entry[1].close()

    def close(self) -> None:
        """Close all streams."""
        while self._waiting:
            self._waiting.pop()[1].close()


def read_on(stream: IO[bytes], position: int) -> None:
    """Read up to a position, or to the end if that comes first."""
    while (gap := position - stream.tell()) > 0 and stream.read(min(gap, 1 << 20)):
        pass
