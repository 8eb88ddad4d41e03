"""Messages and progress on stderr, for commands that read raw corpora."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from chat_corpus.cli import logs
from chat_corpus.cli.progress import Pace
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.messages import message
from chat_corpus.runs.progress import Progress

#: Seconds between two lines of progress if there is no bar.
_INTERVAL = 10


class _BesideBar(logging.StreamHandler[TextIO]):
    """A handler for a terminal that hides the progress bar while it writes."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm

        with tqdm.external_write_mode(self.stream):
            super().emit(record)


def set_up(*, quiet: bool, verbose: bool, as_json: bool) -> None:
    """Write messages to stderr.

    `quiet` leaves only warnings and errors, `verbose` adds details; `as_json` writes JSON instead of lines.
    """
    level = logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO
    handler = _BesideBar(sys.stderr) if sys.stderr.isatty() else logging.StreamHandler(sys.stderr)
    logs.handle(handler, level=level, as_json=as_json)


@contextmanager
def progress(found: Mapping[str, DiscoveredSource], *, bar: bool) -> Iterator[Progress]:
    """Yield the function to call with the progress, which shows bytes done, rate and time left.

    It shows a bar on a terminal if `bar` is set, otherwise a line every ten seconds.
    """
    pace = Pace(sum(file.size for source in found.values() for file in source.files))
    if bar and sys.stderr.isatty():
        with _bar(pace) as advance:
            yield advance
    else:
        yield _lines(pace)


@contextmanager
def _bar(pace: Pace) -> Iterator[Progress]:
    from tqdm import tqdm  # imported here, since a run without a terminal does not need it

    with tqdm(total=pace.total, unit="B", unit_scale=True, leave=False, smoothing=0) as meter:

        def advance(source: str, done: int, worked: bool) -> None:
            pace.add(done, worked=worked)
            meter.set_description(source, refresh=False)
            meter.initial = pace.done - pace.worked  # tqdm leaves these out of its rate
            meter.update(pace.done - meter.n)

        yield advance


def _lines(pace: Pace) -> Progress:
    last = time.monotonic()

    def advance(source: str, done: int, worked: bool) -> None:
        nonlocal last
        pace.add(done, worked=worked)
        if time.monotonic() - last >= _INTERVAL:
            last = time.monotonic()
            line = message("{source}: {progress}", source=source, progress=pace.described)
            logs.info(line, "progress", source=source)

    return advance
