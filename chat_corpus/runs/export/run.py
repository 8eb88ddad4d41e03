"""Run a whole export: find what it is made from, start the workers, and publish its folder."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.engines.select import select_export_engine
from chat_corpus.errors import ChatCorpusError, IncompleteError
from chat_corpus.exports.manifest import ExportSummary
from chat_corpus.exports.mix_options import subset_sizes
from chat_corpus.exports.mixing import check_sources
from chat_corpus.exports.preference import PREFERENCE
from chat_corpus.messages import message
from chat_corpus.outputs.report import FinishedSource, reported_sources
from chat_corpus.page.writing import write_export_page
from chat_corpus.runs import previous
from chat_corpus.runs.export import evaluation_files
from chat_corpus.runs.export import folder as folders
from chat_corpus.runs.export.flow import export
from chat_corpus.runs.export.job import ExportJob, Origin
from chat_corpus.runs.export.raw import RawSource, RecordsRun
from chat_corpus.runs.export.raw_paths import raw_paths
from chat_corpus.runs.export.stores import Store, find_stores
from chat_corpus.runs.export.unapplied import warn_of_idle_options, warn_of_unapplied
from chat_corpus.runs.export.workers import Workers
from chat_corpus.runs.progress import Progress
from chat_corpus.runs.report_builder import SourceReport
from chat_corpus.runs.runner import run
from chat_corpus.settings.loading import check_text
from chat_corpus.settings.model import Settings
from chat_corpus.system_texts import system_text

#: Rows of a store that are about as much work as a shard.
ROWS_PER_TASK = 60_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The result of an export.

    summary    the summary; None if nothing was exported
    faults     the sources that were not exported, each with the reason
    exit_code  0 if everything was exported, else the exit code of the command
    """

    summary: ExportSummary | None
    faults: Mapping[str, str]
    exit_code: int


def export_stores(folder: Path, names: Iterable[str], settings: Settings, *, force: bool = False) -> Exported:
    """Export sources from their dialogue stores in the output folder of the settings.

    Raises UsageError if the folder cannot be used, and ChatCorpusError for any other failure.
    """
    check(folder, settings, force=force)
    names = list(names)
    check_sources(settings.export.mix, names)
    stores, faults = find_stores(Path(settings.out), names, settings)
    report_faults(faults)
    if not stores:  # return before the folder is made
        return Exported(summary=None, faults=faults, exit_code=IncompleteError.exit_code)
    with folders.work_folder(folder) as work:
        return _exported(folder, work, stores, faults, settings, force=force)


def export_raw(
    folder: Path, found: Mapping[str, DiscoveredSource], settings: Settings, progress: Progress, *, force: bool = False
) -> tuple[Exported, dict[str, SourceReport]]:
    """Export sources from raw corpora with the pipeline of `run`. Return the result, and the outcome by source.

    Raises the errors of `export_stores`.
    """
    check(folder, settings, force=force)
    check_sources(settings.export.mix, list(found))
    with folders.work_folder(folder) as work:
        own = replace(settings, out=str(work / "run"), store_dialogues=False, page=False)
        done, report = run(found, own, progress, kind=RecordsRun)
        failed = [name for name, one in done.items() if one.error]
        origins = [
            RawSource(source=one.found.source, entry=entry, rows=one.counts.turns.read, parts=one.parts)
            for name, one in sorted(done.items())
            if isinstance(entry := report.sources[name], FinishedSource) and name not in failed
        ]
        faults = {name: done[name].error for name in failed}
        report_faults(faults)
        exported = _exported(folder, work, origins, faults, settings, force=force)
    code = max((done[name].exit_code for name in failed), default=0)
    return replace_code(exported, code), done


def check(folder: Path, settings: Settings, *, force: bool) -> None:
    """Raise UsageError if an export must not be written to a folder, or if an evaluation file or a path is unusable."""
    check_text(settings)
    evaluation_files.check_files(settings.export.decontaminate)
    entries = reported_sources(Path(settings.out))
    folders.check_folder(folder, raw_paths(settings, entries), Path(settings.out), force=force)


def report_faults(faults: Mapping[str, str]) -> None:
    """Log which sources are not exported, with one warning per reason."""
    for reason in dict.fromkeys(faults.values()):
        names = ", ".join(name for name, fault in faults.items() if fault == reason)
        text = message("not exported: {names}: {reason}", names=names, reason=reason)
        _log.warning("%s", text, extra={"event": "export.source"})


def replace_code(exported: Exported, code: int) -> Exported:
    """Return the result with the exit code of sources that failed in the pipeline: 1 if either is 1, else the max."""
    codes = {exported.exit_code, code}
    return Exported(summary=exported.summary, faults=exported.faults, exit_code=1 if 1 in codes else max(codes))


def _exported(
    folder: Path,
    work: Path,
    origins: Sequence[Origin],
    faults: dict[str, str],
    settings: Settings,
    *,
    force: bool,
) -> Exported:
    if not origins:
        return Exported(summary=None, faults=faults, exit_code=IncompleteError.exit_code)
    warn_of_unapplied([origin.source for origin in origins], settings)
    warn_of_idle_options(settings.export)
    stores = [origin for origin in origins if isinstance(origin, Store)]
    job = ExportJob(origins=origins, settings=settings, work=work, made_from="store" if stores else "raw")
    tasks = sum(origin.rows for origin in origins) // ROWS_PER_TASK
    try:
        with Workers(select_export_engine([store.path for store in stores], tasks, settings, work), work) as workers:
            summary = export(job, workers)
        for store in stores:
            if not previous.matches_outputs(store.path.parent.parent, store.name, store.entry):
                raise ChatCorpusError(message("{file}: changed while it was exported; export again", file=store.path))
        folders.publish(folder, job.files, summary, force=force)
    except OSError as error:
        path, fault = error.filename or folder, system_text(error)
        raise ChatCorpusError(message("{file}: cannot be written: {fault}", file=path, fault=fault)) from error
    write_export_page(folder, summary, enabled=settings.page)
    lacking = [_lacking_subsets(summary, settings), _lacks_preferences(summary, settings)]
    complete = not faults and not any(lacking)
    return Exported(summary=summary, faults=faults, exit_code=0 if complete else IncompleteError.exit_code)


def _lacking_subsets(summary: ExportSummary, settings: Settings) -> bool:
    """Return whether a subset is larger than train, and log a warning for each."""
    if summary.mix is None:
        return False
    rows, lacking = sum(summary.mix.sources.values()), False
    written = {one.name for one in summary.mix.subsets}
    for name, size in subset_sizes(settings.export.mix.subsets).items():
        if size is not None and name not in written:
            lacking = True
            text = message(
                "no subset of {size:,} records: train has {rows:,}; the config default holds all of them",
                size=size, rows=rows,
            )  # fmt: skip
            _log.warning("%s", text, extra={"event": "export.subset"})
    return lacking


def _lacks_preferences(summary: ExportSummary, settings: Settings) -> bool:
    """Return whether preferences are requested and there are none, and log a warning if so."""
    lacks = PREFERENCE in settings.export.formats and all(file.format != PREFERENCE for file in summary.files)
    if lacks:
        text = message("no file of preferences: no source has responses that are labelled as wrong")
        _log.warning("%s", text, extra={"event": "export.preference"})
    return lacks
