"""The output of `check`: files, estimated records and advice for each source, and the files that were not recognised.

docs/corpora.md documents the keys of `inventory`, so they must not change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chat_corpus.cli import words
from chat_corpus.cli.language import translate
from chat_corpus.cli.terminal import format_table
from chat_corpus.discovery.inventory import DEFAULT_RAW
from chat_corpus.discovery.model import DiscoveredSource, Inventory
from chat_corpus.discovery.sniff import head_of
from chat_corpus.discovery.trial import trial
from chat_corpus.errors import FileError
from chat_corpus.fetching.digests import Verdict, verdict_of
from chat_corpus.files import compression
from chat_corpus.files.content import digest
from chat_corpus.files.raw_file import RawFile
from chat_corpus.messages import Message, constant, count_noun, joined, message
from chat_corpus.runs import completeness
from chat_corpus.schema import State
from chat_corpus.sources.definitions import advice

#: States of a source that can be read.
_READ = {State.FOUND, State.RENAMED, State.PARTIAL, State.SAMPLE}
#: States of a source that is not complete, so that more of it can be obtained.
_INCOMPLETE = {State.ABSENT, State.PARTIAL, State.UNUSABLE, State.SAMPLE}
#: Verdicts of the files of a source if no file can be compared with a digest.
_UNKNOWN = {Verdict.UNKNOWN}
#: Number of significant digits of an estimate.
_DIGITS = 2
#: Maximum number of unrecognised files that are named.
_MOST_UNRECOGNISED = 30

_TITLES = {
    "name": message("name"),
    "state": message("state"),
    "MB": message("MB"),
    "records": message("records"),
    "licence": message("licence"),
    "files": message("files"),
}


def inventory(found: Inventory, *, hashes: bool, raw: str = DEFAULT_RAW) -> dict[str, Any]:
    """Return what was found in the folder `raw`, as `check --json` prints it.

    With `hashes`, every file found is read to its end, and has its SHA-256.
    """
    return {
        "sources": [_source(name, source, hashes=hashes, raw=raw) for name, source in found.found.items()],
        "unrecognised": [
            {"file": entry.file.name, "bytes": entry.file.size, "reason": entry.reason}
            for entry in sorted(found.unrecognised, key=lambda entry: not entry.warn)
            if entry.damaged_source is None and entry.unusable_source is None  # the others are listed with their source
        ],
    }


def _unreadable(found: DiscoveredSource) -> tuple[list[Message], list[Message]]:
    """Return failures and warnings for a source, from the first 64 kB of its files.

    A failure means that the source cannot be read, a warning that a large part or some fields cannot.
    """
    counts, quotes = {}, {}
    for group in found.groups:
        format_ = found.source.inputs[group.input].format
        for file in group.files if format_.parts == 1 else ():
            try:
                tried = trial(format_, head_of(file))
            except FileError:  # reported when the file is read to its end
                continue
            if tried is not None:
                counts[file.name], quotes[file.name] = tried
    groups = [names for names in found.names if names[0] in counts]
    warnings = [*completeness.cautions(groups, counts, quotes), *completeness.passed_over(counts)]
    return list(completeness.failures(groups, counts, quotes)), warnings


def _of_beginning(fault: str) -> Message:
    return message("{fault} (in the first 64 kB)", fault=fault)


def _source(name: str, found: DiscoveredSource, *, hashes: bool, raw: str) -> dict[str, Any]:
    failures, warnings = _unreadable(found)
    state = State.UNUSABLE if failures and found.state in _READ else found.state
    files = [_file(file, found, hashes=hashes) for file in found.files]
    records = [file["records"] for file in files]
    faults = [message("{file}: {fault}", file=file["file"], fault=file["damage"]) for file in files if "damage" in file]
    damaged = [*found.damaged, *faults]
    can_obtain = bool(damaged) or state in _INCOMPLETE
    return {
        "name": name,
        "state": State.DAMAGED if damaged else state,
        "files": files,
        "bytes": sum(file.size for file in found.files),
        "records": None if None in records else sum(records),
        "estimated": any(file["estimated"] for file in files),
        "licence": constant(found.source.licence),
        "url": found.source.url,
        "missing": found.missing,
        "damaged": damaged,
        "unusable": [*found.unusable, *map(_of_beginning, failures)],
        "remarks": [*found.remarks, *map(_of_beginning, warnings)],
        "obtain": advice(found.source) if can_obtain else None,
        "fetch": words.fetch_command(found.source, raw, is_sample=found.sample)
        if can_obtain and found.source.origins
        else None,
    }


def _file(file: RawFile, found: DiscoveredSource, *, hashes: bool) -> dict[str, Any]:
    sampled = found.head_samples[file]
    records: int | None = sampled.records
    damage: str | None = None
    if not sampled.whole:
        try:
            records = _estimate(_content_bytes(file), sampled.records, sampled.bytes)
        except compression.DAMAGE as error:
            records, damage = None, message("damaged: {fault}; download the file again", fault=str(error))
    entry: dict[str, Any] = {
        "file": file.name,
        "bytes": file.size,
        "records": records,
        "estimated": not sampled.whole,
        "renamed": file in found.renamed,
        **_compared(file, found),
    }
    if hashes:
        try:
            entry["sha256"] = digest(file)
        except FileError as error:
            entry["sha256"], damage = None, error.fault
    return entry if damage is None else {**entry, "damage": damage}


def _compared(file: RawFile, found: DiscoveredSource) -> dict[str, Any]:
    """Return whether a file, or the archive that contains it, is the one that its origin publishes.

    Keys: `digest`, a `Verdict`, and `differs`, the fault of a file that differs. Bundled samples are not compared.
    """
    remotes = [remote for origin in found.source.origins for remote in origin.files]
    if found.sample or not remotes:
        return {"digest": Verdict.UNKNOWN}
    try:
        verdict, fault = verdict_of(Path(file.path), file.holder or file.name, remotes)
    except OSError:  # reported when the file is read
        return {"digest": Verdict.UNKNOWN}
    return {"digest": verdict} if fault is None else {"digest": verdict, "differs": fault}


def _content_bytes(file: RawFile) -> float:
    """Return the size in bytes of the content of a file; for a compressed file, an estimate from its beginning."""
    single = file.member is None and compression.compression_of(file.path)
    return file.size * compression.inflation(file.path) if single else file.size


def _estimate(size: float, records: int, sample: int) -> int | None:
    if not records:
        return None
    about = size * records / sample
    return int(float(f"{about:.{_DIGITS - 1}e}"))


def rows(entries: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the sources of an inventory as rows of a table: `name, state, MB, records, licence, files`."""
    return [
        {
            "name": source["name"],
            "state": words.state(source["state"]),
            "MB": f"{source['bytes'] / 1e6:.2f}" if source["files"] else "-",
            "records": _count(source) if source["files"] else "-",
            "licence": source["licence"],
            "files": [file["file"] for file in source["files"]],
        }
        for source in entries["sources"]
    ]


def _count(source: Mapping[str, Any]) -> str:
    return "?" if source["records"] is None else f"{'~' if source['estimated'] else ''}{source['records']:,}"


def notes(entries: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines below the table: remarks, damage, digests, what is missing and how to obtain it."""
    for source in entries["sources"]:
        name = source["name"]
        for remark in source["remarks"]:
            yield message("{source}: {remark}", source=name, remark=remark)
        for damage in source["damaged"]:
            yield message("{source}: damaged: {fault}", source=name, fault=damage)
        for fault in source["unusable"]:
            yield message("{source}: not read: {fault}", source=name, fault=fault)
        yield from _digest_notes(source)
        if source["missing"]:
            yield message("{source}: missing: {files}", source=name, files=joined(", ", source["missing"]))
        if source["obtain"]:
            yield _advice(source)
        yield from (f"{file['sha256']}  {file['file']}" for file in source["files"] if file.get("sha256"))
    unknown = [
        source["name"]
        for source in entries["sources"]
        if source["files"]
        and source["state"] != State.SAMPLE
        and {file["digest"] for file in source["files"]} == _UNKNOWN
    ]
    if unknown:
        yield message("no digest known to compare with: {sources}", sources=joined(", ", unknown))


def _digest_notes(source: Mapping[str, Any]) -> Iterator[Message]:
    """Yield the number of files with the digest of the origin, and the files that differ.

    Yields nothing if no digest is known.
    """
    verified = sum(file["digest"] == Verdict.VERIFIED for file in source["files"])
    differing = [file for file in source["files"] if file["digest"] == Verdict.DIFFERS]
    if verified:
        yield message(
            "{source}: digests: {verified} of {files} verified",
            source=source["name"],
            verified=verified,
            files=count_noun(len(source["files"]), "file"),
        )
    for file in differing:
        yield message(
            "{source}: {file}: not the file at the origin: {fault}",
            source=source["name"],
            file=file["file"],
            fault=file["differs"],
        )


def _advice(source: Mapping[str, Any]) -> Message:
    """Return how to obtain a source. Its state is included unless an earlier line describes the problem."""
    if source["fetch"]:
        return _command(source)
    if source["damaged"] or source["unusable"] or source["missing"]:
        return message("{source}: what to do: {advice}", source=source["name"], advice=source["obtain"])
    state = words.state(source["state"])
    return message("{source}: {state}: {advice}", source=source["name"], state=state, advice=source["obtain"])


def _command(source: Mapping[str, Any]) -> Message:
    """Return the message with the command that downloads a source."""
    if source["damaged"] or source["unusable"] or source["missing"]:
        return message("{source}: to download it: {command}", source=source["name"], command=source["fetch"])
    state = words.state(source["state"])
    return message("{source}: {state}: {command}", source=source["name"], state=state, command=source["fetch"])


def unrecognised(entries: Mapping[str, Any], most: int) -> Iterator[Message]:
    """Yield up to `most` files that belong to no source, each with the reason, and the number of the others."""
    listed = entries["unrecognised"]
    for entry in listed[:most]:
        yield message("not recognised: {file}: {reason}", file=entry["file"], reason=entry["reason"])
    if len(listed) > most:
        more = count_noun(len(listed) - most, "more file")
        yield message("not recognised: {files}; --json names all of them", files=more)


def check(entries: Mapping[str, Any]) -> str:
    """Return an inventory as text: a table of the sources, remarks, and the unrecognised files."""
    lines = [*notes(entries), *unrecognised(entries, _MOST_UNRECOGNISED)]
    return "\n".join([format_table(rows(entries), _TITLES), *(translate(line).replace("\n", " ") for line in lines)])
