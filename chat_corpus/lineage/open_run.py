"""Opening of an earlier run for tracing. Its code, settings, plugins and outputs must be known and unchanged."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import UNSET

from chat_corpus import sources, versions
from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.lineage.recorded_run import RERUN, RecordedRun
from chat_corpus.messages import Message, joined, message
from chat_corpus.outputs import layout, shard_index
from chat_corpus.outputs.report import FinishedSource, SourceEntry, read_report
from chat_corpus.outputs.shard_index import Entry
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.runs import previous
from chat_corpus.settings.model import Settings
from chat_corpus.sources import plugin_digest

#: Default for `places`: no added corpus was moved.
NOWHERE: Mapping[str, str] = {}


def interrupted(out: Path) -> Message:
    """Return the message that an interrupted run may have left files of two runs in `out`."""
    return message(
        "a run was killed while it moved files into {folder}, or is still doing so; run it again", folder=out
    )


def load(
    out: Path,
    name: str,
    raw: str | None = None,
    *,
    plugins: Sequence[str] = (),
    places: Mapping[str, str] = NOWHERE,
    other_code: bool = False,
) -> RecordedRun:
    """Open the outputs of an earlier run for source `name` in the folder `out`.

    `raw` is the folder of the raw files if it was moved since the run. `places` are the files or folders of added
    corpora, by name, if they were moved. A plugin in the report is run only if it is among `plugins`, because a report
    is not a permission to run code. With `other_code`, the outputs may be those of other versions of the code or of its
    packages.

    Raises UsageError if no run wrote such outputs, or if a plugin is missing from `plugins`. Raises ChatCorpusError if
    the outputs cannot be reproduced: the run failed or was interrupted, its code, plugins or settings are different or
    unknown, or the outputs changed.
    """
    report = _finished(out, name)
    _check_code(name, report, other_code=other_code)
    settings = _settings(out, name, report, raw_folder(out, report, raw, places.get(name)), plugins)
    entries = _entries(out, name, report)
    source = sources.load(settings.plugins, settings.added).get(name)
    if source is None:
        raise ChatCorpusError(message("{source}: unknown source; install the package that provides it", source=name))
    if plugin_digest.code(name, settings.plugins, settings.added) != report.fingerprint.source:
        raise ChatCorpusError(
            message(
                "{source}: the code of its plugin or package, or code that it imports, has changed; {advice}",
                source=name,
                advice=RERUN,
            )
        )
    return RecordedRun(
        out=out, name=name, report=report, settings=settings, source=source, entries=entries, inputs=_inputs(report)
    )


def _finished(out: Path, name: str) -> FinishedSource:
    """Return the report entry of a source. Raises as `load` if there is none, or its run failed or was interrupted."""
    report = read_report(out)
    entry = None if report is None else report.sources.get(name)
    if previous.was_interrupted(out, name, entry):
        raise ChatCorpusError(message("{source}: {reason}", source=name, reason=interrupted(out)))
    if report is None:
        raise UsageError(
            message(
                "{folder}: no {file} found; only outputs of chat-corpus can be traced", folder=out, file=layout.REPORT
            )
        )
    if entry is None:
        raise UsageError(
            message(
                "{file}: no source '{source}'; available: {sources}",
                file=out / layout.REPORT,
                source=name,
                sources=joined(", ", report.sources),
            )
        )
    if not isinstance(entry, FinishedSource):
        raise ChatCorpusError(
            message("{source}: the last run into {folder} failed; {advice}", source=name, folder=out, advice=RERUN)
        )
    return entry


def _check_code(name: str, report: FinishedSource, *, other_code: bool) -> None:
    if report.fingerprint.code != versions.code_digest() and not other_code:
        raise ChatCorpusError(
            message(
                "{source}: made by other code or packages ({old}) than those in use ({new}), so it cannot be "
                "reproduced; {advice}",
                source=name,
                old=report.fingerprint.code,
                new=versions.code_digest(),
                advice=RERUN,
            )
        )


def _entries(out: Path, name: str, report: FinishedSource) -> list[Entry]:
    """Return the index entries of a source. Raises ChatCorpusError if they cannot be read, or if an output changed."""
    try:
        _check_outputs(out, name, report)
        return shard_index.read(layout.index(out, name))
    except (OSError, ValueError) as error:
        raise ChatCorpusError(
            message(
                "{file}: cannot be read: {error}; {advice}", file=layout.index(out, name), error=error, advice=RERUN
            )
        ) from error


def load_by_tsv(
    tsv: Path, raw: str | None = None, plugins: Sequence[str] = (), places: Mapping[str, str] = NOWHERE
) -> RecordedRun:
    """Open the run that wrote a file of pairs. Raises UsageError if there is no such file, and as `load`."""
    if tsv.suffix != ".tsv" or not tsv.is_file():
        raise UsageError(
            message("{file}: no such .tsv file; expected an output such as clean_chat_corpus/ptt.tsv:12", file=tsv)
        )
    return load(tsv.parent, tsv.stem, raw, plugins=plugins, places=places)


def raw_folder(out: Path, report: SourceEntry, raw: str | None, place: str | None) -> str:
    """Return the folder that the names of raw files are relative to.

    `raw` is the raw folder according to the user, and `place` the file or folder of an added corpus; each is None if
    the user has not given it. A raw folder that was moved together with the output folder is found beside it. The
    digests of its files are verified in any case.
    """
    if report.definition is UNSET:
        beside = out.absolute().parent / Path(report.raw).name
        moved = not Path(report.raw).is_dir() and beside.is_dir()
        return raw or (str(beside) if moved else report.raw)
    if place is None:
        return report.raw
    return place if Path(place).is_dir() else str(Path(place).parent)


def _settings(out: Path, name: str, report: FinishedSource, raw: str, plugins: Sequence[str]) -> Settings:
    """Return the settings that a source was made with, from its report.

    Raises ChatCorpusError if they were edited, or if this version does not know them, and as `permitted_plugins`.
    """
    file = out / layout.REPORT
    try:
        source_settings = msgspec.convert(report.settings, SourceSettings)
        sections = {section: getattr(source_settings, section) for section in SourceSettings.__struct_fields__}
        # A definition is not code: it names the format of this program that reads the files.
        corpora = {} if report.definition is UNSET else {name: report.definition}
        settings = Settings(raw=raw, plugins=_permitted(name, report, plugins), corpora=corpora, **sections)
    except msgspec.ValidationError as error:
        raise ChatCorpusError(
            message("{file}: settings of another version: {error}; {advice}", file=file, error=error, advice=RERUN)
        ) from error
    if settings.of(name).digest() != report.fingerprint.settings:
        raise ChatCorpusError(
            message(
                "{file}: sources.{source}.settings: edited or incomplete; {advice}",
                file=file,
                source=name,
                advice=RERUN,
            )
        )
    return settings


def _permitted(name: str, report: FinishedSource, plugins: Sequence[str]) -> tuple[str, ...]:
    """Return the paths of the plugins that a source was made with, as `permitted_plugins`."""
    return permitted_plugins(name, report.plugins, report.fingerprint.plugins, plugins)


def permitted_plugins(
    name: str, files: Sequence[str], digests: Sequence[str], plugins: Sequence[str]
) -> tuple[str, ...]:
    """Return the paths in `plugins` that have the digests of the plugins that a source was made with.

    `files` are the names of these plugins in the report, `digests` their SHA-256, `plugins` the paths that the user
    gives. Raises UsageError if a plugin is not among them. Raises ChatCorpusError if one with its file name is, but is
    missing on disk or has a different digest.
    """
    given = {hashlib.sha256(Path(file).read_bytes()).hexdigest(): file for file in plugins if Path(file).is_file()}
    for file, digest in zip(files, digests, strict=True):
        if digest not in given:
            if Path(file).name in {Path(plugin).name for plugin in plugins}:
                raise ChatCorpusError(
                    message("{file}: the plugin is missing or has changed; {advice}", file=file, advice=RERUN)
                )
            raise UsageError(
                message(
                    "{source}: made with the plugin {file}; use --plugin {file} to allow running its code",
                    source=name,
                    file=file,
                )
            )
    return tuple(given[digest] for digest in digests)


def _inputs(report: FinishedSource) -> dict[str, tuple[int, int, str | None]]:
    digests = {file.file: file.sha256 for file in report.files}
    return {name: (size, modified, digests.get(name)) for name, size, modified in report.fingerprint.input}


def _check_outputs(out: Path, name: str, report: FinishedSource) -> None:
    """Raise ChatCorpusError if an output is missing, or if its size differs from the one in the report.

    A dialogue store may be missing, because the raw files give the same turns.
    """
    outputs, store = layout.outputs(out, name), layout.dialogues(out, name).relative_to(out).as_posix()
    for path, (size, _) in report.outputs.items():
        if path not in outputs:
            if path == store:
                continue
            raise ChatCorpusError(message("{file}: not found; {advice}", file=out / path, advice=RERUN))
        if outputs[path][0] != size:
            raise ChatCorpusError(
                message(
                    "{file}: edited after the run: {old:,} bytes then, {new:,} now; {advice}",
                    file=out / path,
                    old=size,
                    new=outputs[path][0],
                    advice=RERUN,
                )
            )
