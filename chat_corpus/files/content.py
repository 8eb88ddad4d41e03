"""Whether files have the same content: by size, by how they begin, by digest."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

from chat_corpus.errors import ChatCorpusError
from chat_corpus.files.raw_file import RawFile, read_some

#: Files that begin alike for so many bytes are read to their ends, to see whether they are the same.
_BYTES = 1 << 18


def digest(file: RawFile) -> str:
    """The SHA-256 of a file's content. Raises ChatCorpusError where it cannot be read to its end."""
    told = hashlib.sha256()
    with file.open() as stream:
        while block := read_some(stream, 1 << 20, file):
            told.update(block)
    return told.hexdigest()


def looks(files: Sequence[RawFile]) -> Callable[[RawFile], object]:
    """What those of the files that may have the same content have in common; opens none known by its size."""
    sizes = Counter(map(_size, files))

    def look(file: RawFile) -> object:
        size = _size(file)
        as_long = len(files) if size is None else sizes[size] + sizes[None]
        return file if as_long == 1 else _beginning(file)

    return look


def alike(one: RawFile, other: RawFile) -> bool:
    """Whether two files have the same content. Both are read to their ends if sizes and beginnings do not differ."""
    sizes = {_size(one), _size(other)} - {None}
    if len(sizes) > 1 or _beginning(one) != _beginning(other):
        return False
    told = _whole(one)
    return told is not None and told == _whole(other)


def _size(file: RawFile) -> int | None:
    """The size of a file's content, if it is known without reading it."""
    return None if file.member is None and file.compressed else file.size


@cache
def _beginning(file: RawFile) -> bytes:
    """A digest of how a file's content begins; of one that cannot be read, which is like no other, its name."""
    try:
        with file.open() as stream:
            return hashlib.sha256(read_some(stream, _BYTES, file)).digest()
    except ChatCorpusError:
        return file.name.encode()


@cache
def _whole(file: RawFile) -> str | None:
    """The digest of a file's content, which is kept, so that of many files that begin alike each is read once."""
    try:
        return digest(file)
    except ChatCorpusError:
        return None
