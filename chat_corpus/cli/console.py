"""Messages and progress of a run on stderr."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

from chat_corpus.cli import logs
from chat_corpus.cli.progress import Pace
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.messages import message
from chat_corpus.runs.progress import Progress

#: Seconds between two lines of progress where there is no bar.
_INTERVAL = 10


class _BesideBar(logging.StreamHandler[TextIO]):
    """A handler that takes a bar away while it writes."""

    def emit(self, record: logging.LogRecord) -> None:
        with tqdm.external_write_mode(self.stream):
            super().emit(record)


def set_up(*, quiet: bool, verbose: bool, as_json: bool) -> None:
    """Write messages to stderr: warnings alone, or all; as lines, or as JSON."""
    level = logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO
    logs.handle(_BesideBar(sys.stderr), level=level, as_json=as_json)


@contextmanager
def progress(found: Mapping[str, DiscoveredSource], *, bar: bool) -> Iterator[Progress]:
    """Show bytes done, rate and time left: as a bar on a terminal if `bar` is set, else as a line every ten seconds."""
    pace = Pace(sum(file.size for source in found.values() for file in source.files))
    shown = bar and sys.stderr.isatty()
    meter = tqdm(total=pace.total, unit="B", unit_scale=True, disable=not shown, leave=False, smoothing=0)
    last = time.monotonic()

    def advance(source: str, done: int, worked: bool) -> None:
        nonlocal last
        pace.add(done, worked=worked)
        if shown:
            meter.set_description(source, refresh=False)
            meter.initial = pace.done - pace.worked  # which tqdm leaves out of its rate
            meter.update(pace.done - meter.n)
        elif time.monotonic() - last >= _INTERVAL:
            last = time.monotonic()
            line = message("{source}: {progress}", source=source, progress=pace.described)
            logs.info(line, "progress", source=source)

    with meter:
        yield advance
