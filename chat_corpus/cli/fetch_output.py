"""The output of `fetch`: the plan with origin, size and licence, what is not downloaded, and what was downloaded.

docs/corpora.md documents the keys of `entries`, so they must not change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from chat_corpus.cli import words
from chat_corpus.cli.language import translate
from chat_corpus.cli.terminal import format_table
from chat_corpus.fetching.download import Outcome
from chat_corpus.fetching.plan import Action, Item, Request, sample_at
from chat_corpus.messages import Message, amount, constant, count_noun, joined, message

_TITLES = {
    "source": message("source"),
    "files": message("files"),
    "size": message("size"),
    "licence": message("licence"),
    "digests": message("digests"),
    "action": message("action"),
    "origin": message("origin"),
}
_ACTIONS = {
    Action.DOWNLOAD: message("download"),
    Action.PRESENT: message("present"),
    Action.DIFFERS: message("differs"),
    Action.SAMPLE: message("bundled sample"),
    Action.UNSTATED: message("not accepted"),
}

#: A message names at most this many samples.
_SHOWN = 3


def entries(items: Sequence[Item], outcomes: Iterable[Outcome] = ()) -> list[dict[str, Any]]:
    """Return the planned files and their outcomes, as `fetch --json` prints them."""
    results = {outcome.item: outcome for outcome in outcomes}
    return [_entry(item, results.get(item)) for item in items]


def _entry(item: Item, outcome: Outcome | None) -> dict[str, Any]:
    fault = item.fault if outcome is None else outcome.fault
    return {
        "source": item.source,
        "file": item.name,
        "url": item.url,
        "bytes": item.file.bytes,
        "licence": item.origin.licence or None,
        "digest": item.file.sha256 or item.file.git_blob or None,
        "origin_verified": item.origin.verified,
        "action": item.action,
        "done": bool(outcome and not outcome.fault),
        "sha256": outcome.sha256 or None if outcome else None,
        "verified": outcome.verified
        if outcome
        else item.action is Action.PRESENT and item.file.has_digest and item.target.is_file(),
        "fault": str(fault) if fault else None,
    }


def plan(items: Sequence[Item], request: Request) -> str:
    """Return the planned files as a table, and lines with the names of optional files.

    Files of one origin with the same action share a row.
    """
    rows = [_row(list(group)) for _, group in groupby(items, key=lambda item: (item.source, item.origin, item.action))]
    lines = [format_table(rows, _TITLES)] if rows else []
    for name, source in request.sources.items() if not request.patterns else ():
        more = [PurePosixPath(file.path).name for origin in source.origins for file in origin.files if file.optional]
        if more:
            text = message("{source}: further files, with --file NAME: {files}", source=name, files=joined(", ", more))
            lines.append(translate(text))
    return "\n".join(lines)


def _row(items: Sequence[Item]) -> dict[str, Any]:
    first = items[0]
    digests = sum(item.file.has_digest for item in items)
    return {
        "source": first.source,
        "files": str(len(items)) if len(items) > 1 else PurePosixPath(first.name).name,
        "size": size(items),
        "licence": constant(first.origin.licence) if first.origin.licence else message("not stated"),
        "digests": message("{count} of {total}", count=digests, total=len(items)),
        "action": _ACTIONS[first.action],
        "origin": first.origin.address if len(items) > 1 else first.url,
    }


def size(items: Iterable[Item]) -> Message | str:
    """Return the total size of files; a lower limit if some sizes are not known."""
    sizes = [item.file.bytes for item in items]
    total = sum(size or 0 for size in sizes)
    if None not in sizes:
        return amount(total)
    return message("more than {amount}", amount=amount(total)) if total else message("unknown")


def obstacles(items: Sequence[Item], request: Request, *, requested: bool) -> Iterator[tuple[Message, str, bool]]:
    """Yield what is not downloaded, as (message, name of the event, whether it is a failure)."""
    planned = {item.source for item in items}
    for name, source in request.sources.items():
        if requested and source.origins and request.patterns and name not in planned:
            yield message("{source}: none of its files has a name given with --file", source=name), "fetch.none", False
        if not source.origins and (requested or source.url):
            text = message(
                "{source}: no address to download from; {advice}", source=name, advice=constant(source.obtain)
            )
            yield text, "fetch.manual", False
    for name, group in groupby(items, key=lambda item: item.source):
        of_source = list(group)
        if unstated := [item for item in of_source if item.action is Action.UNSTATED]:
            yield _unstated(name, unstated, request), "fetch.unstated", False
        if blocked := [item for item in of_source if item.action is Action.SAMPLE]:
            yield _blocked(name, blocked, request), "fetch.sample", False
    for item in items:
        if item.action is Action.DIFFERS:
            yield _differs(item), "fetch.differs", True


def _blocked(name: str, items: Sequence[Item], request: Request) -> Message:
    samples = [str(sample_at(item.target) or item.target) for item in items]
    names = joined(", ", samples[:_SHOWN])
    if len(samples) > _SHOWN:
        names = message("{names} and {count:,} more", names=names, count=len(samples) - _SHOWN)
    command = words.fetch_command(
        request.sources[name],
        str(request.raw),
        is_sample=True,
        patterns=request.patterns,
        accepts=any(not item.origin.licence for item in items),
    )
    return message(
        "{source}: {files} not downloaded, since only a bundled sample is there: {names}; download into another "
        "folder: {command}",
        source=name,
        files=count_noun(len(items), "file"),
        names=names,
        command=command,
    )


def _unstated(name: str, items: Sequence[Item], request: Request) -> Message:
    return message(
        "{source}: {files} not downloaded, since the origin states no licence, so nobody has granted you any rights; "
        "see {url}, and repeat with --accept-unstated if you may use it",
        source=name,
        files=count_noun(len(items), "file"),
        url=request.sources[name].url or items[0].origin.address,
    )


def _differs(item: Item) -> Message:
    return message(
        "{file}: exists and is not the file at the origin ({fault}); it is not replaced: move it away, or name another "
        "folder with --raw",
        file=item.target,
        fault=item.fault,
    )


def question(items: Sequence[Item], raw: Path) -> Message:
    """Return the question before the downloads."""
    chosen = [item for item in items if item.action is Action.DOWNLOAD]
    return message(
        "Download {files} ({size}) into {folder}, under the licences above?",
        files=count_noun(len(chosen), "file"),
        size=size(chosen),
        folder=raw,
    )


def outcome(result: Outcome) -> tuple[Message, str]:
    """Return the message about the outcome for a file, and the name of the event."""
    name = result.item.name
    if result.fault:
        return message("{source}: {fault}", source=result.item.source, fault=result.fault), "fetch.failed"
    if result.verified:
        return message("{file}: downloaded, digest verified", file=name), "fetch.done"
    text = message("{file}: downloaded; no digest is known, its SHA-256 is {digest}", file=name, digest=result.sha256)
    return text, "fetch.done"


def not_tried(outcomes: Iterable[Outcome]) -> Iterator[Message]:
    """Yield a message for each server that cannot be reached, with the number of files that were not tried."""
    hosts = Counter(outcome.item.host for outcome in outcomes if not outcome.is_tried)
    for host, count in hosts.items():
        yield message("{host} cannot be reached; not tried: {files}", host=host, files=count_noun(count, "file"))


def end(outcomes: Sequence[Outcome], raw: Path) -> Message:
    """Return the last message: the number of files that were downloaded."""
    done = sum(not outcome.fault for outcome in outcomes)
    return message(
        "downloaded {done} of {files} into {folder}; 'chat-corpus check --raw {folder}' shows them",
        done=done,
        files=count_noun(len(outcomes), "file"),
        folder=raw,
    )
