"""A whole export: from dialogue stores or raw corpora to the finished folder."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.engines.select import select_export_engine
from chat_corpus.errors import ChatCorpusError, IncompleteError
from chat_corpus.exports.manifest import MANIFEST, ExportSummary
from chat_corpus.messages import message
from chat_corpus.outputs.report import reported_sources
from chat_corpus.runs import previous
from chat_corpus.runs.export import folder as folders
from chat_corpus.runs.export.flow import ExportJob, export
from chat_corpus.runs.export.stores import Store, find_stores
from chat_corpus.runs.export.workers import Workers
from chat_corpus.runs.progress import Progress
from chat_corpus.runs.report_builder import SourceReport
from chat_corpus.runs.runner import run
from chat_corpus.settings.model import Settings

#: Rows of a store that take about as long as a shard.
_ROWS = 60_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The outcome of an export: its summary, None if nothing was exported, and the reason for each skipped source."""

    summary: ExportSummary | None
    faults: Mapping[str, str]
    exit_code: int


def export_stores(folder: Path, names: Iterable[str], settings: Settings, *, force: bool = False) -> Exported:
    """Export sources from their dialogue stores in the output folder of the settings.

    Raises UsageError if the folder cannot be used, ChatCorpusError for any other failure.
    """
    check(folder, settings, force=force)
    stores, faults = find_stores(Path(settings.out), names, settings)
    report_faults(faults)
    if not stores:  # before the folder is made
        return Exported(summary=None, faults=faults, exit_code=IncompleteError.exit_code)
    with folders.work_folder(folder) as work:
        return _exported(folder, work, stores, faults, settings, from_raw=False)


def export_raw(
    folder: Path, found: Mapping[str, DiscoveredSource], settings: Settings, progress: Progress, *, force: bool = False
) -> tuple[Exported, dict[str, SourceReport]]:
    """Export sources from raw corpora, with the pipeline of `run`. Also return the report of each source in it.

    Raises as `export_stores`.
    """
    check(folder, settings, force=force)
    with folders.work_folder(folder) as work:
        run_settings = replace(settings, out=str(work / "run"), store_dialogues=True)
        done, _ = run(found, run_settings, progress)
        failed = [name for name, report in done.items() if report.error]
        stores, faults = find_stores(work / "run", [name for name in done if name not in failed], run_settings)
        faults |= {name: done[name].error for name in failed}
        report_faults(faults)
        exported = _exported(folder, work, stores, faults, settings, from_raw=True)
    code = max((done[name].exit_code for name in failed), default=0)
    return replace_code(exported, code), done


def check(folder: Path, settings: Settings, *, force: bool) -> None:
    """Raise UsageError if an export must not be written to a folder."""
    entries = reported_sources(Path(settings.out)).values()
    raw = {Path(settings.raw), *(Path(entry.raw) for entry in entries)}
    folders.check_folder(folder, sorted(raw), Path(settings.out), force=force)


def report_faults(faults: Mapping[str, str]) -> None:
    """Log which sources are not exported; those with the same reason share a line."""
    for reason in dict.fromkeys(faults.values()):
        names = ", ".join(name for name, fault in faults.items() if fault == reason)
        text = message("not exported: {names}: {reason}", names=names, reason=reason)
        _log.warning("%s", text, extra={"event": "export.source"})


def replace_code(exported: Exported, code: int) -> Exported:
    """Return the outcome with the exit code of sources that failed in the pipeline; 1 takes priority."""
    codes = {exported.exit_code, code}
    return Exported(summary=exported.summary, faults=exported.faults, exit_code=1 if 1 in codes else max(codes))


def _exported(
    folder: Path, work: Path, stores: list[Store], faults: dict[str, str], settings: Settings, *, from_raw: bool
) -> Exported:
    if not stores:
        return Exported(summary=None, faults=faults, exit_code=IncompleteError.exit_code)
    job = ExportJob(stores=stores, settings=settings, work=work, made_from="raw" if from_raw else "store")
    tasks = sum(store.facts.rows for store in stores) // _ROWS
    try:
        with Workers(select_export_engine([store.path for store in stores], tasks, settings, work), work) as workers:
            summary = export(job, workers)
        for store in stores:
            if not previous.matches_outputs(store.path.parent.parent, store.name, store.entry):
                raise ChatCorpusError(message("{file}: changed during the export; export again", file=store.path))
        folders.publish(folder, job.files, [*(file.path for file in summary.files), MANIFEST])
    except OSError as error:
        file, reason = error.filename or folder, error.strerror or str(error)
        raise ChatCorpusError(message("{file}: cannot be written: {error}", file=file, error=reason)) from error
    return Exported(summary=summary, faults=faults, exit_code=IncompleteError.exit_code if faults else 0)
