"""What a person reads on stderr: messages, progress, the summary."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

from tqdm import tqdm

from chat_corpus.cli import run_output
from chat_corpus.cli.progress import Pace
from chat_corpus.cli.terminal import JsonLines, SafeFormatter
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.pipeline import counts
from chat_corpus.runs.progress import Progress
from chat_corpus.runs.report_builder import SourceReport
from chat_corpus.settings.model import Settings

#: Seconds without a word where there is no bar.
_SILENCE = 10


class _Beside(logging.StreamHandler[TextIO]):
    """A handler that takes a bar away while it writes."""

    def emit(self, record: logging.LogRecord) -> None:
        with tqdm.external_write_mode(self.stream):
            super().emit(record)


class Console:
    """Messages for the user, as many as asked for, as lines of text or of JSON."""

    def __init__(self, *, quiet: bool, verbose: bool, as_json: bool) -> None:
        handler = _Beside(sys.stderr)
        handler.setFormatter(JsonLines() if as_json else SafeFormatter())
        self._log = logging.getLogger("chat_corpus")
        self._log.handlers[:] = [handler]
        self._log.propagate = False
        self._log.setLevel(logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO)
        self._as_json = as_json
        self._bar = sys.stderr.isatty() and not (quiet or as_json)

    def info(self, message: str, event: str, **about: Any) -> None:
        """Say something that is as it should be; `event` is its stable name in JSON, `about` further facts."""
        self._log.info("%s", message, extra={"event": event, **about})

    def warning(self, message: str, event: str, **about: Any) -> None:
        """Say something that the user should see to."""
        self._log.warning("%s", message, extra={"event": event, **about})

    @contextmanager
    def progress(self, found: Mapping[str, DiscoveredSource]) -> Iterator[Progress]:
        """A bar of bytes with rate and time left on a terminal; elsewhere a line of it every ten seconds."""
        pace = Pace(sum(file.size for one in found.values() for file in one.files))
        bar = tqdm(total=pace.total, unit="B", unit_scale=True, disable=not self._bar, leave=False, smoothing=0)
        told = time.monotonic()

        def advance(source: str, done: int, worked: bool) -> None:
            nonlocal told
            pace.add(done, worked=worked)
            if self._bar:
                bar.set_description(source, refresh=False)
                bar.initial = pace.done - pace.worked  # which tqdm leaves out of its rate
                bar.update(pace.done - bar.n)
            elif time.monotonic() - told >= _SILENCE:
                told = time.monotonic()
                self.info(f"{source}: {pace}", "progress", source=source)

        with bar:
            yield advance

    def summary(
        self,
        chosen: Mapping[str, DiscoveredSource],
        done: Mapping[str, SourceReport],
        settings: Settings,
        *,
        samples_left: bool,
    ) -> None:
        """Say what became of each source, what was written, and what the bundled samples have to do with it."""
        if any(told.found.sample for told in done.values()):
            self.info(
                "These are the bundled samples: unpack real corpora into the raw folder and run again.", "samples.read"
            )
        if samples_left:
            self.info("The bundled samples were left alone, since there is a real corpus.", "samples.left")
        if self._as_json:
            for name, told in done.items():
                about = {"source": name, "seconds": round(told.seconds, 3), "summary": counts.builtins(told.counts)}
                self.info(name, "source.summary", **about)
            return
        self.info(run_output.table(chosen, done), "run.table")
        self.info(run_output.written_message(done, settings.out), "run.written")
