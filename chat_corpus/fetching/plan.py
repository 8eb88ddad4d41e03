"""Plan downloads: the files of the requested sources, and what to do about each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from chat_corpus.discovery.samples import is_sample
from chat_corpus.errors import UsageError
from chat_corpus.fetching.digests import fault_of
from chat_corpus.files.raw_file import RawFile
from chat_corpus.messages import Message, joined, message
from chat_corpus.sources.base import Source
from chat_corpus.sources.origins import HUB, FileOrigin, RemoteFile

#: Placeholder in the address of a mirror for the whole address at the origin.
WHOLE = "{url}"
#: Suffixes of packed files. A packed file is not needed if the unpacked one exists.
_PACKED = (".zip", ".gz", ".bz2", ".xz", ".zst")
_SCHEMES = ("https://", "http://")


class Action(StrEnum):
    """The action for a file: download it, or the reason why not."""

    DOWNLOAD = "download"
    PRESENT = "present"
    DIFFERS = "differs"
    SAMPLE = "sample"
    UNSTATED = "licence not stated"


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """A file of a source, with its address and its path in the raw folder.

    `url` is the address to download from; `hub` is the address of the Hugging Face hub, empty for other origins.
    `fault` describes how an existing file differs.
    """

    source: str
    origin: FileOrigin
    file: RemoteFile
    url: str
    hub: str
    target: Path
    action: Action
    fault: Message | None = None

    @property
    def name(self) -> str:
        """Path relative to the raw folder."""
        return self.file.path

    @property
    def host(self) -> str:
        """Name and port of the server."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request for downloads.

    sources          the requested sources by name
    raw              the raw folder
    patterns         patterns of file names or paths; without any, all files that are not optional are requested
    mirror           address of a mirror; empty to download from the origins
    accept_unstated  whether to download files without a stated licence
    """

    sources: Mapping[str, Source]
    raw: Path
    patterns: tuple[str, ...] = ()
    mirror: str = ""
    accept_unstated: bool = False


def plan(request: Request) -> list[Item]:
    """Return the requested files, with the action for each.

    Raises UsageError for an invalid mirror, or a pattern that no file matches, and OSError if an existing file cannot
    be read.
    """
    chosen = [
        (name, origin, file)
        for name, source in request.sources.items()
        for origin in source.origins
        for file in origin.files
        if _is_chosen(file, request.patterns)
    ]
    _check_patterns(request, [file for _, _, file in chosen])
    _check_mirror(request, [(name, origin) for name, origin, _ in chosen])
    return [_item(name, origin, file, request) for name, origin, file in chosen]


def _is_chosen(file: RemoteFile, patterns: Sequence[str]) -> bool:
    return any(_matches(file, pattern) for pattern in patterns) if patterns else not file.optional


def _matches(file: RemoteFile, pattern: str) -> bool:
    name = PurePosixPath(file.path).name
    return fnmatchcase(name.lower(), pattern.lower()) or fnmatchcase(file.path.lower(), pattern.lower())


def _check_patterns(request: Request, files: Iterable[RemoteFile]) -> None:
    chosen = list(files)
    for pattern in request.patterns:
        if not any(_matches(file, pattern) for file in chosen):
            known = [
                PurePosixPath(file.path).name
                for source in request.sources.values()
                for origin in source.origins
                for file in origin.files
            ]
            raise UsageError(
                message(
                    "--file {pattern}: no such file; files: {names}",
                    pattern=pattern,
                    names=joined(", ", list(dict.fromkeys(known)) or ["-"]),
                )
            )


def _check_mirror(request: Request, origins: Iterable[tuple[str, FileOrigin]]) -> None:
    """Raise UsageError if a mirror is not a URL, or cannot be the mirror of all requested files."""
    mirror = request.mirror
    if not mirror:
        return
    if not mirror.startswith(_SCHEMES):
        raise UsageError(message("--from {url}: an address that begins with https:// expected", url=mirror))
    chosen = list(origins)
    addresses = {origin.address for _, origin in chosen if not origin.hub}
    is_mixed = bool(addresses) and any(origin.hub for _, origin in chosen)
    if WHOLE not in mirror and (len(addresses) > 1 or is_mixed):
        names = joined(", ", list(dict.fromkeys(name for name, _ in chosen)))
        raise UsageError(
            message(
                "--from {url}: files of {sources} have different origins; name one source, or use an address with "
                "{{url}} where the address at the origin belongs",
                url=mirror,
                sources=names,
            )
        )


def _item(name: str, origin: FileOrigin, file: RemoteFile, request: Request) -> Item:
    target = request.raw / file.path
    action, fault = _action(target, origin, file, accept_unstated=request.accept_unstated)
    hub = _hub(request.mirror) if origin.hub else ""
    return Item(
        source=name,
        origin=origin,
        file=file,
        url=origin.url(file, hub) if hub else _url(origin, file, request.mirror),
        hub=hub,
        target=target,
        action=action,
        fault=fault,
    )


def _hub(mirror: str) -> str:
    """Return the address of the hub: the mirror, else the environment variable `HF_ENDPOINT`, else the usual address.

    A mirror with a placeholder is not that of the hub.
    """
    named = os.environ.get("HF_ENDPOINT", "") if not mirror or WHOLE in mirror else mirror
    return named.rstrip("/") or HUB


def _url(origin: FileOrigin, file: RemoteFile, mirror: str) -> str:
    url = origin.url(file)
    if WHOLE in mirror:
        return mirror.replace(WHOLE, url)
    return f"{mirror.rstrip('/')}/{file.name}" if mirror else url


def _action(
    target: Path, origin: FileOrigin, file: RemoteFile, *, accept_unstated: bool
) -> tuple[Action, Message | None]:
    """Return the action for a file, and the fault of an existing one. Existing files are never replaced.

    Raises OSError if an existing file cannot be read.
    """
    if target.is_symlink() or target.exists():
        if not target.is_file():
            return Action.DIFFERS, message("not a regular file")
        if _is_sample(target):
            return Action.SAMPLE, message("a bundled sample has this name: use another folder with --raw")
        fault = message("empty file") if not target.stat().st_size else fault_of(target, file)
        return (Action.PRESENT, None) if fault is None else (Action.DIFFERS, fault)
    if (unpacked := _unpacked(target)) is not None:
        if _is_sample(unpacked):
            fault = message("{file} is a bundled sample: use another folder with --raw", file=unpacked.name)
            return Action.SAMPLE, fault
        return Action.PRESENT, None
    if not origin.licence and not accept_unstated:
        return Action.UNSTATED, None
    return Action.DOWNLOAD, None


def _unpacked(target: Path) -> Path | None:
    """Return the existing file that a packed file would be unpacked to; None if there is none."""
    path = target.with_suffix("")
    return path if target.suffix in _PACKED and path.is_file() else None


def _is_sample(path: Path) -> bool:
    return is_sample(RawFile(path=str(path), name=path.name, size=path.stat().st_size))


def sample_at(target: Path) -> Path | None:
    """Return the bundled sample that has the name of a file to download, or of its unpacked content; None without one.

    Raises OSError if a file cannot be read.
    """
    path = target if target.is_file() else _unpacked(target)
    return path if path is not None and _is_sample(path) else None


def is_blocked(source: Source, raw: Path) -> bool:
    """Return whether a bundled sample prevents the download of a file of a source that is not optional."""
    return any(_has_sample(raw / file.path) for origin in source.origins for file in origin.files if not file.optional)


def _has_sample(target: Path) -> bool:
    try:
        return sample_at(target) is not None
    except OSError:  # `fetch` reports it
        return False


def needs_acceptance(source: Source) -> bool:
    """Return whether a file of a source that is not optional has no stated licence."""
    return any(not origin.licence and not all(file.optional for file in origin.files) for origin in source.origins)
