"""The outputs of an earlier run, opened to be traced: only where all that they were made with is known and the same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from chat_corpus import sources, versions
from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.lineage.recorded_run import AGAIN, RecordedRun
from chat_corpus.messages import count_noun, displayed
from chat_corpus.outputs import layout, shard_index
from chat_corpus.outputs.report import FinishedSource, read_report
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.runs import previous
from chat_corpus.settings.model import Settings
from chat_corpus.sources import plugin_digest

#: What is said of files of two runs.
INTERRUPTED = "a run was killed while it put files in place under {}, or is doing so; run it again"


def load(
    out: Path, name: str, raw: str | None = None, *, plugins: Sequence[str] = (), other_code: bool = False
) -> RecordedRun:
    """What an earlier run wrote of source `name` under `out`; `raw` is where the raw files are now, if elsewhere.

    A plugin that the report names is run only if it is among `plugins`: a report is no reason to run code.

    Raises UsageError where no run wrote it or such a plugin is not named, and ChatCorpusError where this program cannot
    do it again: made by other code (unless that is asked for), a plugin or the settings not known, or outputs that
    changed.
    """
    report = read_report(out)
    told = None if report is None else report.sources.get(name)
    if previous.was_interrupted(out, name, told):
        raise ChatCorpusError(f"{name}: {INTERRUPTED.format(out)}")
    if report is None:
        raise UsageError(f"{out}: no {layout.REPORT}; only what chat-corpus wrote can be traced")
    if told is None:
        raise UsageError(f"{out / layout.REPORT}: no source '{name}'; there are {', '.join(report.sources)}")
    if not isinstance(told, FinishedSource):
        raise ChatCorpusError(f"{name}: the last run into {out} failed; {AGAIN}")
    made = told.fingerprint
    if made.code != versions.code_digest() and not other_code:
        raise ChatCorpusError(
            f"{name}: made by other code, or with other packages ({made.code}), than this ({versions.code_digest()}): "
            f"what it did cannot be told by doing it again; {AGAIN}"
        )
    settings = _settings(out, name, told, raw, plugins)
    try:
        _check_outputs(out, name, told)
        entries = shard_index.read(layout.index(out, name))
    except (OSError, ValueError) as error:
        raise ChatCorpusError(f"{layout.index(out, name)}: cannot be read: {error}; {AGAIN}") from error
    source = sources.load(settings.plugins).get(name)
    if source is None:
        raise ChatCorpusError(f"{name}: not among the sources of this program; install the package that it came from")
    if plugin_digest.code(name, settings.plugins) != made.source:
        raise ChatCorpusError(f"{name}: the code that its plugin or package consists of, or imports, changed; {AGAIN}")
    return RecordedRun(
        out=out, name=name, told=told, settings=settings, source=source, entries=entries, inputs=_inputs(told)
    )


def load_of(tsv: Path, raw: str | None = None, plugins: Sequence[str] = ()) -> RecordedRun:
    """The same by the path of the file of pairs. Raises UsageError where that is none."""
    if tsv.suffix != ".tsv" or not tsv.is_file():
        raise UsageError(f"{tsv}: an output expected, as in clean_chat_corpus/ptt.tsv:12")
    return load(tsv.parent, tsv.stem, raw, plugins=plugins)


def _settings(out: Path, name: str, told: FinishedSource, raw: str | None, plugins: Sequence[str]) -> Settings:
    """The settings that a source was made with, from its report."""
    try:
        own = msgspec.convert(told.settings, SourceSettings)
        sections = {section: getattr(own, section) for section in SourceSettings.__struct_fields__}
        settings = Settings(raw=raw or told.raw, plugins=_trusted(name, told, plugins), **sections)
    except msgspec.ValidationError as error:
        raise ChatCorpusError(f"{out / layout.REPORT}: settings of another version: {error}; {AGAIN}") from error
    if settings.of(name).digest() != told.fingerprint.settings:
        raise ChatCorpusError(f"{out / layout.REPORT}: sources.{name}.settings: edited, or incomplete; {AGAIN}")
    return settings


def _trusted(name: str, told: FinishedSource, plugins: Sequence[str]) -> tuple[str, ...]:
    return trusted_plugins(name, told.plugins, told.fingerprint.plugins, plugins)


def trusted_plugins(name: str, files: Sequence[str], digests: Sequence[str], plugins: Sequence[str]) -> tuple[str, ...]:
    """The plugins that a source was made with, `files` with their SHA-256, of those that the user names.

    Raises UsageError where one is not named, ChatCorpusError where one that has its name was changed.
    """
    given = {hashlib.sha256(Path(file).read_bytes()).hexdigest(): file for file in plugins if Path(file).is_file()}
    for file, known in zip(files, digests, strict=True):
        if known not in given:
            if Path(file).name in {Path(one).name for one in plugins}:
                raise ChatCorpusError(f"{file}: the plugin is not there any more, or was changed; {AGAIN}")
            raise UsageError(
                f"{name}: made with the plugin {file}, which is code: name it with --plugin {file} to have it run"
            )
    return tuple(given[known] for known in digests)


def _inputs(told: FinishedSource) -> dict[str, tuple[int, int, str | None]]:
    digests = {file.file: file.sha256 for file in told.files}
    return {name: (size, modified, digests.get(name)) for name, size, modified in told.fingerprint.input}


def _check_outputs(out: Path, name: str, told: FinishedSource) -> None:
    """Raise ChatCorpusError where an output is of another size than it was written in."""
    now = layout.outputs(out, name)
    for path, (size, _) in told.outputs.items():
        if path not in now:
            raise ChatCorpusError(f"{out / path}: not there any more; {AGAIN}")
        if now[path][0] != size:
            raise ChatCorpusError(
                f"{out / path}: edited since it was written: {size:,} bytes then, {now[path][0]:,} now; {AGAIN}"
            )


def find(path: str, out: Path, raw: str | None = None, plugins: Sequence[str] = ()) -> tuple[RecordedRun, str]:
    """The source whose outputs under `out` a raw file went into, and the file's name there.

    `path` leads to a file, or to a member of an archive as to a file in a folder, or it is a name as reports have it.
    Raises UsageError where no source of the report read it, and as `written.load`.
    """
    report = read_report(out)
    if report is None:
        raise UsageError(f"{out}: no {layout.REPORT}; name the folder that a run wrote to with --out")
    met: list[str] = []
    for name, told in report.sources.items():
        files = [file.file for file in told.files]
        known = _known(path, files, raw or told.raw)
        if known is not None:
            return load(out, name, raw, plugins=plugins), known
        met += files
    alike = [name for name in met if Path(name).name == Path(path).name]
    there = f"did you mean {' or '.join(alike)}?" if alike else f"it names {count_noun(len(met), 'file')}"
    raise UsageError(
        f"{path}: not among the files that {out / layout.REPORT} tells of; if another run read it, name the folder "
        f"that it wrote to with --out; {there}"
    )


def _known(path: str, files: list[str], raw: str) -> str | None:
    """The name among `files` of a path, which may begin with the raw folder, by whatever way it leads there."""
    below = [os.path.relpath(os.path.abspath(path), os.path.abspath(raw))]  # noqa: PTH100 a member is no file
    below.append(os.path.relpath(os.path.realpath(path), os.path.realpath(raw)))
    names = [displayed(Path(one).as_posix()) for one in below]
    return next((name for name in (*names, path) if name in files), None)
