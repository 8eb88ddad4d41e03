"""Verify the names of formats, splits and sources in a manifest. All other checks use these names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from chat_corpus.exports.check_rules import Offence
from chat_corpus.exports.documents import DOCUMENT
from chat_corpus.exports.manifest import HELD, INDEX, MANIFEST, MIXED, STATISTICS, ExportFile, ExportSummary
from chat_corpus.exports.preference import PREFERENCE
from chat_corpus.exports.records import FORMATS
from chat_corpus.exports.splitting import SPLITS
from chat_corpus.messages import Message, message

_WITHOUT_SOURCE = (STATISTICS, DOCUMENT)
_WITHOUT_SPLIT = (INDEX, HELD, *_WITHOUT_SOURCE)


def offences(summary: ExportSummary) -> Iterator[Offence]:
    """Yield an offence for each name in a manifest that is unknown or occurs more than once."""
    for fault in _faults(summary):
        yield Offence(path=MANIFEST, rule="manifest", message=fault)


def _faults(summary: ExportSummary) -> Iterator[Message]:
    sources = [one.name for one in summary.sources]
    for name in _repeated(sources):
        yield message("source {name} is there more than once", name=name)
    for name in _repeated(one.path for one in summary.files):
        yield message("path {name} is there more than once", name=name)
    for name in summary.formats:
        if name not in FORMATS:
            yield message("formats: no format is called '{name}'", name=name)
    for source in summary.sources:
        for name in _repeated(one.file for one in source.raw):
            yield message("{source}: raw file {name} is there more than once", source=source.name, name=name)
    for file in summary.files:
        yield from _faults_of_file(file, {*sources, MIXED} if summary.mix is not None else {*sources})


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, number in Counter(names).items() if number > 1]


def _faults_of_file(file: ExportFile, sources: set[str]) -> Iterator[Message]:
    formats = ("hf", "ids", *_WITHOUT_SPLIT, PREFERENCE, *FORMATS)
    if file.format not in formats:
        yield message("{file}: no format is called '{name}'", file=file.path, name=file.format)
    if (file.split is None) != (file.format in _WITHOUT_SPLIT) or file.split not in (None, *SPLITS):
        yield message(
            "{file}: no file of the format {format} has the split {split}",
            file=file.path, format=file.format, split=file.split,
        )  # fmt: skip
    if (file.source is None) != (file.format in _WITHOUT_SOURCE) or file.source not in (None, *sources):
        yield message("{file}: the manifest has no source {source}", file=file.path, source=file.source)
