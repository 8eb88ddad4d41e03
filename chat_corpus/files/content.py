"""Files with the same content: compared by size, by their first bytes, and by digest."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

from chat_corpus.errors import ChatCorpusError
from chat_corpus.files.raw_file import RawFile, read_some

#: Files with this many equal first bytes are read completely to compare them.
_BYTES = 1 << 18


def digest(file: RawFile) -> str:
    """Return the SHA-256 of the content of a file. Raises ChatCorpusError if it cannot be read to its end."""
    sha = hashlib.sha256()
    with file.open() as stream:
        while block := read_some(stream, 1 << 20, file):
            sha.update(block)
    return sha.hexdigest()


def content_key(files: Sequence[RawFile]) -> Callable[[RawFile], object]:
    """Return a function from a file to a key. Files that may have the same content have equal keys.

    The function does not open a file with a unique size.
    """
    sizes = Counter(map(_size, files))

    def key(file: RawFile) -> object:
        size = _size(file)
        same_size = len(files) if size is None else sizes[size] + sizes[None]
        return file if same_size == 1 else _beginning(file)

    return key


def same_content(file: RawFile, other: RawFile) -> bool:
    """Return whether two files have the same content. Reads both completely if sizes and first bytes are equal."""
    sizes = {_size(file), _size(other)} - {None}
    if len(sizes) > 1 or _beginning(file) != _beginning(other):
        return False
    sha = _cached_digest(file)
    return sha is not None and sha == _cached_digest(other)


def _size(file: RawFile) -> int | None:
    """Return the size of the content if it is known without reading, otherwise None."""
    return None if file.member is None and file.compressed else file.size


@cache
def _beginning(file: RawFile) -> bytes:
    """Return a digest of the first bytes of a file, or its name, which is unique, if the file cannot be read."""
    try:
        with file.open() as stream:
            return hashlib.sha256(read_some(stream, _BYTES, file)).digest()
    except ChatCorpusError:
        return file.name.encode()


@cache
def _cached_digest(file: RawFile) -> str | None:
    """Return the digest of a file, or None if it cannot be read. Cached, so that no file is read twice."""
    try:
        return digest(file)
    except ChatCorpusError:
        return None
