"""Write the page beside report.json."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from chat_corpus.errors import DEFECT
from chat_corpus.files.atomic import write_atomic
from chat_corpus.messages import error_text, message
from chat_corpus.outputs.layout import PAGE
from chat_corpus.outputs.report import Report
from chat_corpus.page.build import build
from chat_corpus.page.drawing import draw_samples
from chat_corpus.page.material import Material
from chat_corpus.page.model import Page
from chat_corpus.page.rendering import html
from chat_corpus.system_texts import system_text

if TYPE_CHECKING:
    from chat_corpus.exports.manifest import ExportSummary

_log = logging.getLogger(__name__)


def write_page(out: Path, report: Report, *, enabled: bool = True) -> None:
    """Write the page of the output of a run, or delete an older one if `enabled` is false.

    If the page cannot be made, the run does not fail, since its outputs are complete: a warning is logged, and an older
    page is deleted, since it would show different outputs.
    """
    path = out / PAGE
    try:
        if enabled:
            page = build(Material(report=report, samples=draw_samples(out, report.sources)))
            _write(path, html(page))
        else:
            path.unlink(missing_ok=True)
    except Exception as error:  # noqa: BLE001 whatever is wrong with the page, the outputs are right
        _warn(path, error)


def write_export_page(folder: Path, summary: ExportSummary, *, enabled: bool = True) -> None:
    """Write the page of an export, or delete an older one if `enabled` is false; a failure is logged as a warning."""
    path = folder / PAGE
    try:
        if enabled:
            _write(path, html(read_export_page(folder, summary)))
        else:
            path.unlink(missing_ok=True)
    except Exception as error:  # noqa: BLE001 whatever is wrong with the page, the export is right
        _warn(path, error)


def read_export_page(folder: Path, summary: ExportSummary) -> Page:
    """Return the page of an export, with its statistics if it has any.

    Raises OSError if the file of statistics cannot be read, and ValueError if its content is not valid.
    """
    import msgspec

    from chat_corpus.exports import manifest  # imported here, since the page of a run needs none of these
    from chat_corpus.page.views.splits import export_page
    from chat_corpus.statistics.schema import ExportStatistics

    path = folder / manifest.STATISTICS_FILE
    statistics = msgspec.json.decode(path.read_bytes(), type=ExportStatistics) if path.is_file() else None
    return export_page(summary, statistics)


def _write(path: Path, text: str) -> None:
    data = text.encode("utf-8", errors="backslashreplace")
    write_atomic(path, lambda temporary: temporary.write_bytes(data), sync=False)


def _warn(path: Path, error: Exception) -> None:
    if not path.is_dir():
        path.unlink(missing_ok=True)
    if isinstance(error, OSError):
        text = message("{file}: cannot be written: {why}", file=path, why=system_text(error))
    else:
        kind = type(error).__name__
        text = message(
            "{file}: not made: {kind}: {error}; {defect}", file=path, kind=kind, error=error_text(error), defect=DEFECT
        )
    _log.warning("%s", text, extra={"event": "page.failed"})
