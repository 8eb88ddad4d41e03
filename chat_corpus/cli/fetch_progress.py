"""Progress of downloads on stderr: a bar on a terminal, otherwise a line every ten seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from chat_corpus.cli import logs
from chat_corpus.fetching.plan import Action, Item
from chat_corpus.messages import amount, message

#: Seconds between two lines of progress if there is no bar.
_INTERVAL = 10


class Meter:
    """Counts and shows the bytes that have been downloaded, in the current file and in those before it."""

    def __init__(self, bar: tqdm[Any], *, shown: bool) -> None:
        self._bar, self._shown = bar, shown
        self._before = self._current = 0
        self._last = time.monotonic()

    def arrived(self, count: int) -> None:
        """Show the bytes of the current file that have been downloaded: fewer than before if the download restarted."""
        self._current = count
        done = self._before + count
        if self._shown:
            self._bar.update(done - self._bar.n)
        elif time.monotonic() - self._last >= _INTERVAL:
            self._last = time.monotonic()
            logs.info(message("{amount} downloaded", amount=amount(done)), "fetch.progress")

    def finished(self) -> None:
        """Add the current file to the finished ones."""
        self._before, self._current = self._before + self._current, 0


@contextmanager
def meter(items: Sequence[Item], *, bar: bool) -> Iterator[Meter]:
    """Yield a meter for the planned downloads. It has a total if all sizes are known, and a bar only on a terminal."""
    sizes = [item.file.bytes for item in items if item.action is Action.DOWNLOAD]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    shown = bar and sys.stderr.isatty()
    progress: tqdm[Any] = tqdm(total=total, unit="B", unit_scale=True, disable=not shown, leave=False)
    with progress:
        yield Meter(progress, shown=shown)
