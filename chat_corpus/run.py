"""The main job: every source that was found, shard by shard, into the output folder.

A source that fails leaves its earlier output as it was and the others are done all the same.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from chat_corpus import report
from chat_corpus.errors import ChatCorpusError
from chat_corpus.merge import merge
from chat_corpus.plan import Plan
from chat_corpus.report import SourceReport
from chat_corpus.settings import Settings
from chat_corpus.survey import Found
from chat_corpus.work import Part, work

#: Where unfinished work lies, under the output folder; never a result.
WORK = ".chat-corpus"

_log = logging.getLogger(__name__)

#: Told the name of a source and how many bytes of it are done.
Progress = Callable[[str, int], object]


def silent(source: str, done: int) -> None:
    """Progress that nobody is told of."""


def run(
    found: Mapping[str, Found], settings: Settings, progress: Progress, conversions: int = 0
) -> tuple[dict[str, SourceReport], Any]:
    """Do all sources in `found`, and write the report. Returns what became of each source, and the report.

    What became of a source comes with a sample of up to `conversions` turns for each shard that were converted.

    Raises ChatCorpusError where the output folder cannot be written.
    """
    out = Path(settings.out)
    clock = time.perf_counter()
    facts: dict[str, Any] = {
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "samples": any(one.sample for one in found.values()),
    }
    done: dict[str, SourceReport] = {}
    told: dict[str, Any] = {}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, one in found.items():
            done[name] = _source(one, settings, out, progress, conversions)
            facts["seconds"] = round(time.perf_counter() - clock, 3)
            # After each source, so that a run that is interrupted leaves no file that the report does not know.
            told = report.write(out, settings, done, facts)
        shutil.rmtree(out / WORK, ignore_errors=True)
    except OSError as error:
        raise ChatCorpusError(f"{error.filename or out}: cannot be written: {error.strerror}") from error
    return done, told


def _source(found: Found, settings: Settings, out: Path, progress: Progress, conversions: int) -> SourceReport:
    name, clock = found.source.name, time.perf_counter()
    told = SourceReport(found=found)
    try:
        _shards(found, settings, out, progress, told, conversions)
    except ChatCorpusError as error:
        told.error, told.exit_code = str(error), error.exit_code
        _log.error("%s", error, extra={"source": name})
    told.seconds = time.perf_counter() - clock
    return told


def _shards(
    found: Found, settings: Settings, out: Path, progress: Progress, told: SourceReport, conversions: int
) -> None:
    source, own = found.source, settings.of(found.source.name)
    folder = out / WORK / source.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with_keys = own.pairs.distinct == "always" or (own.pairs.distinct == "source" and source.distinct)
    plan = Plan(found=found, settings=settings)
    told.files = plan.facts
    parts = []
    for shard in plan.shards():
        done = work(shard, settings, folder, with_keys=with_keys, conversions=conversions)
        told.counts.add(done.counts)
        told.conversions.append(done.conversions)
        parts.append(Part.of(folder, shard.number))
        progress(source.name, shard.bytes)
        _log.debug(
            "%s: shard %d, %d pairs", source.name, shard.number, done.counts.written, extra={"source": source.name}
        )
    merge(source.name, parts, out, told.counts, with_keys=with_keys)
