"""Compare files with the known sizes and digests of published files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from chat_corpus.messages import Message, message
from chat_corpus.sources.origins import RemoteFile

_BLOCK = 1 << 20


class Verdict(StrEnum):
    """Whether a file is the same as the published one."""

    VERIFIED = "verified"
    DIFFERS = "differs"
    UNKNOWN = "no digest known"


class FileDigests(NamedTuple):
    """Size in bytes, SHA-256 and git blob id of a file, both in hexadecimal."""

    bytes: int
    sha256: str
    git_blob: str


def digests_of(path: Path) -> FileDigests:
    """Read a file once and return its digests. Raises OSError."""
    size = path.stat().st_size
    sha256 = hashlib.sha256()
    git_blob = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            sha256.update(block)
            git_blob.update(block)
    return FileDigests(size, sha256.hexdigest(), git_blob.hexdigest())


def fault_of(path: Path, remote: RemoteFile) -> Message | None:
    """Return how a file differs from the one at its origin; None if it has the known size and digests.

    Raises OSError.
    """
    size = path.stat().st_size
    if remote.bytes is not None and size != remote.bytes:
        return message("{found:,} bytes found, {expected:,} expected", found=size, expected=remote.bytes)
    if not remote.has_digest:
        return None
    found = digests_of(path)
    for name, digest, expected in (
        ("SHA-256", found.sha256, remote.sha256),
        ("git blob id", found.git_blob, remote.git_blob),
    ):
        if expected and digest != expected:
            return message("{digest} {found} found, {expected} expected", digest=name, found=digest, expected=expected)
    return None


def verdict_of(path: Path, name: str, remotes: Iterable[RemoteFile]) -> tuple[Verdict, Message | None]:
    """Compare a file with the published files of its source that have the same name or the same size.

    `name` is the path of the file relative to the raw folder. The verdict is VERIFIED if one of these files is equal.
    Otherwise it is DIFFERS, with the difference, if one has the same name, else UNKNOWN. Raises OSError.
    """
    known = [remote for remote in remotes if remote.has_digest]
    size = path.stat().st_size
    named = [remote for remote in known if _has_name(name, remote)]
    same_size = [remote for remote in known if remote not in named and remote.bytes == size]
    if any(fault_of(path, remote) is None for remote in (*named, *same_size)):
        return Verdict.VERIFIED, None
    return (Verdict.DIFFERS, fault_of(path, named[0])) if named else (Verdict.UNKNOWN, None)


def _has_name(name: str, remote: RemoteFile) -> bool:
    """Return whether a file has the name of a published file, and is in folders of the same names.

    The first folder of the published path may have any name in the raw folder. Folders below it must be the same,
    because they distinguish files of the same name in a release.
    """
    inner = PurePosixPath(*PurePosixPath(remote.path).parts[1:]) if "/" in remote.path else PurePosixPath(remote.path)
    return PurePosixPath(name).match(str(inner))
