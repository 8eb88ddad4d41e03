"""Find the source that read a raw file, by the path of the file or by its name in the report."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from chat_corpus.errors import UsageError
from chat_corpus.lineage.open_run import NOWHERE, load, raw_folder
from chat_corpus.lineage.recorded_run import RecordedRun
from chat_corpus.messages import Message, count_noun, displayed, joined, message
from chat_corpus.outputs import layout
from chat_corpus.outputs.report import Report, read_report


def load_by_raw_file(
    path: str,
    out: Path,
    raw: str | None = None,
    plugins: Sequence[str] = (),
    places: Mapping[str, str] = NOWHERE,
) -> tuple[RecordedRun, str]:
    """Open the run of the source in `out` that read a raw file. Return it, and the name of the file in the report.

    `path` is the path of a file, a path such as archive.zip/member for a member of an archive, or the name in the
    report. If several sources read the file at the path, the first one is opened. Raises UsageError if there is no
    report, no source in it that read the file, or several that read files of this name, and as `load`.
    """
    report = read_report(out)
    if report is None:
        raise UsageError(
            message(
                "{folder}: no {file} found; name the output folder of a run with --out", folder=out, file=layout.REPORT
            )
        )
    names = {name: [file.file for file in entry.files] for name, entry in report.sources.items()}
    folders = {name: raw_folder(out, entry, raw, places.get(name)) for name, entry in report.sources.items()}
    for name, files in names.items():
        reported = _reported_name(path, files, folders[name])
        if reported is not None:
            return load(out, name, raw, plugins=plugins, places=places), reported
    # By the path of the file: of several sources that read the same file, the first one.
    found = {str(Path(folders[name], path)): name for name, files in reversed(names.items()) if path in files}
    if len(found) > 1:
        text = message(
            "{path}: several sources read a file of this name; use its path: {paths}",
            path=path,
            paths=joined(" or ", sorted(found)),
        )
        raise UsageError(text)
    if not found:
        raise UsageError(_not_read(path, out / layout.REPORT, report))
    (name,) = found.values()
    return load(out, name, raw, plugins=plugins, places=places), path


def _not_read(path: str, file: Path, report: Report) -> Message:
    """Return the message that no source in the report read a raw file."""
    names = [read.file for entry in report.sources.values() for read in entry.files]
    similar = [name for name in names if Path(name).name == Path(path).name]
    if similar:
        return message(
            "{path}: not read by the run that {report} describes; did you mean {names}? If another run read it, name "
            "the output folder of that run with --out",
            path=path,
            report=file,
            names=joined(" or ", similar),
        )
    return message(
        "{path}: not read by the run that {report} describes, which read {files}; if another run read it, name the "
        "output folder of that run with --out",
        path=path,
        report=file,
        files=count_noun(len(names), "file"),
    )


def _reported_name(path: str, files: list[str], raw: str) -> str | None:
    """Return the one of `files` that is at a path; None if there is none.

    `files` are names relative to the folder `raw`. The path may be absolute, relative, or contain links.
    """
    relative = [os.path.relpath(os.path.abspath(path), os.path.abspath(raw))]  # noqa: PTH100 a member is no file
    relative.append(os.path.relpath(os.path.realpath(path), os.path.realpath(raw)))
    names = [displayed(Path(name).as_posix()) for name in relative]
    return next((name for name in names if name in files), None)
