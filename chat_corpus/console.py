"""What a person reads on stderr: messages, progress, the summary; and the tables of `list` and `check`."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

import polars as pl
from tqdm import tqdm

from chat_corpus import inventory, summary
from chat_corpus.discovery.model import Found
from chat_corpus.pipeline import counts
from chat_corpus.progress import Pace
from chat_corpus.runs.progress import Progress
from chat_corpus.runs.report_builder import SourceReport
from chat_corpus.settings.model import Settings
from chat_corpus.terminal import JsonLines, Plain, columns

LIST_COLUMNS = ("name", "state", "title", "licence", "url", "files")
PLAN_COLUMNS = ("does", "file", "bytes")
CHECK_COLUMNS = ("name", "state", "MB", "records", "licence", "files")
#: So many files that are nobody's are named.
_STRANGERS = 30

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
        handler.setFormatter(JsonLines() if as_json else Plain())
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
    def progress(self, found: Mapping[str, Found]) -> Iterator[Progress]:
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
        self, chosen: Mapping[str, Found], done: Mapping[str, SourceReport], settings: Settings, *, samples_left: bool
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
        self.info(summary.table(chosen, done), "run.table")
        self.info(summary.written(done, settings.out), "run.written")


def listing(found: Mapping[str, Found]) -> list[dict[str, Any]]:
    """What is known of each source: rows with the keys of `LIST_COLUMNS`."""
    return [
        {
            "name": name,
            "state": one.state,
            "title": one.source.title,
            "licence": one.source.licence,
            "url": one.source.url,
            "files": list(dict.fromkeys(pattern for wanted in one.source.inputs for pattern in wanted.files)),
        }
        for name, one in found.items()
    ]


def check(told: Mapping[str, Any]) -> str:
    """An inventory as text: a table of the sources, remarks, and the files that are nobody's."""
    said = [*inventory.notes(told), *inventory.strangers(told, _STRANGERS)]
    return "\n".join([columns(inventory.rows(told), CHECK_COLUMNS), *(line.replace("\n", " ") for line in said)])


def reads_and_writes(found: Mapping[str, Found], settings: Settings) -> list[dict[str, Any]]:
    """What a run would read and write: rows with the keys of `PLAN_COLUMNS`."""
    rows: list[dict[str, Any]] = []
    for name, one in found.items():
        rows.extend({"does": "read", "file": file.name, "bytes": file.size} for file in one.files)
        outputs = (f"{name}.tsv", f"rejects/{name}.jsonl", f"index/{name}.jsonl")
        rows.extend({"does": "write", "file": f"{settings.out}/{output}", "bytes": None} for output in outputs)
    return [*rows, {"does": "write", "file": f"{settings.out}/report.json", "bytes": None}]


def conversions(done: Mapping[str, SourceReport], size: int) -> str:
    """A random sample of the turns that script conversion changed: address, before, after."""
    frames = [frame for told in done.values() for frame in told.conversions]
    if not frames:
        return "nothing was converted"
    whole = pl.concat(frames).bottom_k(size, by="key")
    return "\n".join(
        f"{file}:{line}\n  {before}\n  {after}"
        for file, line, before, after in whole.select("file", "line", "before", "after").iter_rows()
    )
