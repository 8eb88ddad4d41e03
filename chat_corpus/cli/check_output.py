"""What `check` tells: of each source what was found, about how many records, and what to do; and what is nobody's.

docs/corpora.md documents the keys of `inventory`; they stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chat_corpus.cli.terminal import format_table
from chat_corpus.discovery.model import DiscoveredSource, Inventory
from chat_corpus.discovery.sniff import head_of
from chat_corpus.discovery.trial import trial
from chat_corpus.errors import FileError
from chat_corpus.files import compression
from chat_corpus.files.content import digest
from chat_corpus.files.raw_file import RawFile
from chat_corpus.messages import count_noun
from chat_corpus.runs import completeness
from chat_corpus.schema import State

#: States of a source that is read.
_READ = {State.FOUND, State.RENAMED, State.PARTIAL, State.SAMPLE}
#: States of a source of which more can be obtained.
_INCOMPLETE = {State.ABSENT, State.PARTIAL, State.UNUSABLE, State.SAMPLE}
_BEGINNING = "(of its first 64 kB)"
#: An estimate has so many digits that mean something.
_DIGITS = 2

CHECK_COLUMNS = ("name", "state", "MB", "records", "licence", "files")
#: So many files that are nobody's are named.
_STRANGERS = 30


def inventory(told: Inventory, *, hashes: bool) -> dict[str, Any]:
    """What was found, as `check --json` prints it; with `hashes` every file found is read to its end."""
    return {
        "sources": [_source(name, one, hashes=hashes) for name, one in told.found.items()],
        "unrecognised": [
            {"file": stray.file.name, "bytes": stray.file.size, "reason": stray.reason}
            for stray in sorted(told.unrecognised, key=lambda stray: not stray.warn)
            if stray.damaged_source is None and stray.unusable_source is None  # else it is told with its source
        ],
    }


def _unreadable(one: DiscoveredSource) -> tuple[list[str], list[str]]:
    """What the beginnings of a source's files tell: which make it fail, and of which much is unreadable."""
    counts, quotes = {}, {}
    for group in one.groups:
        format_ = one.source.inputs[group.input].format
        for file in group.files if format_.parts == 1 else ():
            try:
                tried = trial(format_, head_of(file))
            except FileError:  # told where it is read to its end
                continue
            if tried is not None:
                counts[file.name], quotes[file.name] = tried
    groups = [names for names in one.names if names[0] in counts]
    cautions = [*completeness.cautions(groups, counts, quotes), *completeness.passed_over(counts)]
    return list(completeness.failures(groups, counts, quotes)), cautions


def _source(name: str, one: DiscoveredSource, *, hashes: bool) -> dict[str, Any]:
    failures, cautions = _unreadable(one)
    state = State.UNUSABLE if failures and one.state in _READ else one.state
    files = [_file(file, one, hashes=hashes) for file in one.files]
    records = [file["records"] for file in files]
    damaged = [*one.damaged, *(f"{file['file']}: {file['damage']}" for file in files if "damage" in file)]
    return {
        "name": name,
        "state": State.DAMAGED if damaged else state,
        "files": files,
        "bytes": sum(file.size for file in one.files),
        "records": None if None in records else sum(records),
        "estimated": any(file["estimated"] for file in files),
        "licence": one.source.licence,
        "url": one.source.url,
        "missing": one.missing,
        "damaged": damaged,
        "unusable": [*one.unusable, *(f"{failure} {_BEGINNING}" for failure in failures)],
        "remarks": [*one.remarks, *(f"{caution} {_BEGINNING}" for caution in cautions)],
        "obtain": one.source.obtain if damaged or state in _INCOMPLETE else None,
    }


def _file(file: RawFile, one: DiscoveredSource, *, hashes: bool) -> dict[str, Any]:
    sampled = one.head_samples[file]
    records: int | None = sampled.records
    damage = None
    if not sampled.whole:
        try:
            records = _estimate(_content_bytes(file), sampled.records, sampled.bytes)
        except compression.DAMAGE as error:
            records, damage = None, f"damaged: {error}; get the file again"
    told: dict[str, Any] = {
        "file": file.name,
        "bytes": file.size,
        "records": records,
        "estimated": not sampled.whole,
        "renamed": file in one.renamed,
    }
    if hashes:
        try:
            told["sha256"] = digest(file)
        except FileError as error:
            told["sha256"], damage = None, error.fault
    return told if damage is None else {**told, "damage": damage}


def _content_bytes(file: RawFile) -> float:
    """The size of a file's content; of a compressed stream, as its beginning lets expect."""
    single = file.member is None and compression.compression_of(file.path)
    return file.size * compression.inflation(file.path) if single else file.size


def _estimate(size: float, records: int, sample: int) -> int | None:
    if not records:
        return None
    about = size * records / sample
    return int(float(f"{about:.{_DIGITS - 1}e}"))


def rows(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The sources of an inventory as rows of a table: name, state, MB, records, licence, files."""
    return [
        {
            "name": one["name"],
            "state": one["state"],
            "MB": f"{one['bytes'] / 1e6:.2f}" if one["files"] else "-",
            "records": _count(one) if one["files"] else "-",
            "licence": one["licence"],
            "files": [file["file"] for file in one["files"]],
        }
        for one in told["sources"]
    ]


def _count(one: Mapping[str, Any]) -> str:
    return "?" if one["records"] is None else f"{'~' if one['estimated'] else ''}{one['records']:,}"


def notes(told: Mapping[str, Any]) -> list[str]:
    """What is to be said below the table: remarks, damage, what is missing and how to obtain it, digests."""
    said: list[str] = []
    for one in told["sources"]:
        said += [f"{one['name']}: {remark}" for remark in one["remarks"]]
        said += [f"{one['name']}: damaged: {damage}" for damage in one["damaged"]]
        said += [f"{one['name']}: not read: {fault}" for fault in one["unusable"]]
        said += [f"{one['name']}: missing: {', '.join(one['missing'])}"] if one["missing"] else []
        said += [f"{one['name']}: {_how(one)}: {one['obtain']}"] if one["obtain"] else []
        for file in one["files"]:
            if file.get("sha256"):
                said.append(f"{file['sha256']}  {file['file']}")
    return said


def _how(one: Mapping[str, Any]) -> str:
    """What is said before how to obtain a source; what is wrong has been named in a line before."""
    return "how to obtain it" if one["damaged"] or one["unusable"] or one["missing"] else one["state"]


def strangers(told: Mapping[str, Any], most: int) -> list[str]:
    """The files that are no source's, each with the reason; not more than `most` of them."""
    listed = told["unrecognised"]
    said = [f"not recognised: {one['file']}: {one['reason']}" for one in listed[:most]]
    more = f"not recognised: {count_noun(len(listed) - most, 'more file')}; --json names all of them"
    return [*said, more] if len(listed) > most else said


def check(told: Mapping[str, Any]) -> str:
    """An inventory as text: a table of the sources, remarks, and the files that are nobody's."""
    said = [*notes(told), *strangers(told, _STRANGERS)]
    return "\n".join([format_table(rows(told), CHECK_COLUMNS), *(line.replace("\n", " ") for line in said)])
