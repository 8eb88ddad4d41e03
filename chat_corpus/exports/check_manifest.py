"""The names in a manifest: of formats, splits and sources. What else is verified goes by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from chat_corpus.exports.check_rules import Offence
from chat_corpus.exports.documents import DOCUMENT
from chat_corpus.exports.manifest import HELD, INDEX, MANIFEST, MIXED, STATISTICS, ExportFile, ExportSummary
from chat_corpus.exports.preference import PREFERENCE
from chat_corpus.exports.records import FORMATS
from chat_corpus.exports.splitting import SPLITS

_WITHOUT_SOURCE = (STATISTICS, DOCUMENT)
_WITHOUT_SPLIT = (INDEX, HELD, *_WITHOUT_SOURCE)


def offences(summary: ExportSummary) -> Iterator[Offence]:
    """Names in a manifest that no export has, and names that are there twice."""
    for fault in _faults(summary):
        yield Offence(path=MANIFEST, rule="manifest", message=fault)


def _faults(summary: ExportSummary) -> Iterator[str]:
    sources = [one.name for one in summary.sources]
    for kind, names in (("source", sources), ("path", [one.path for one in summary.files])):
        yield from (f"{kind} {name} is there more than once" for name, number in Counter(names).items() if number > 1)
    for name in summary.formats:
        if name not in FORMATS:
            yield f"formats: no format is called '{name}'"
    for file in summary.files:
        yield from _faults_of_file(file, {*sources, MIXED} if summary.mix is not None else {*sources})


def _faults_of_file(file: ExportFile, sources: set[str]) -> Iterator[str]:
    formats = ("hf", "ids", *_WITHOUT_SPLIT, PREFERENCE, *FORMATS)
    if file.format not in formats:
        yield f"{file.path}: no format is called '{file.format}'"
    if (file.split is None) != (file.format in _WITHOUT_SPLIT) or file.split not in (None, *SPLITS):
        yield f"{file.path}: no file of the format {file.format} has the split {file.split}"
    if (file.source is None) != (file.format in _WITHOUT_SOURCE) or file.source not in (None, *sources):
        yield f"{file.path}: the manifest has no source {file.source}"
