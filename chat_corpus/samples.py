"""Which files have the same content: as a bundled sample, or as each other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from chat_corpus.errors import ChatCorpusError
from chat_corpus.raw import RawFile, read_range, read_some

#: Places at which two large files are compared, and bytes at each.
_PLACES = 16
_BYTES = 1 << 14


@cache
def _samples() -> Mapping[str, int]:
    """SHA-256 and size of each bundled sample."""
    known: dict[str, int] = json.loads(files("chat_corpus").joinpath("samples.json").read_text("utf-8"))
    return known


def is_sample(file: RawFile) -> bool:
    """Whether a file is one of the bundled samples, by its content."""
    if file.size not in _samples().values():
        return False
    try:
        return digest(file) in _samples()
    except ChatCorpusError:  # a damaged file is like no other, and whoever reads it to work on it will say so
        return False


def digest(file: RawFile) -> str:
    """The SHA-256 of a file's content. Raises ChatCorpusError where it cannot be read to its end."""
    told = hashlib.sha256()
    with file.open() as stream:
        while block := read_some(stream, 1 << 20, file):
            told.update(block)
    return told.hexdigest()


@cache
def beginning(file: RawFile) -> bytes:
    """A digest of how a file's content begins; of one that cannot be read, which is like no other, its name."""
    try:
        with file.open() as stream:
            return hashlib.sha256(read_some(stream, _PLACES * _BYTES, file)).digest()
    except ChatCorpusError:
        return file.name.encode()


def alike(one: RawFile, other: RawFile) -> bool:
    """Whether two files have the same size and beginning, and the same bytes in many places if they are no streams."""
    if one.size != other.size or beginning(one) != beginning(other):
        return False
    try:
        return one.compressed or other.compressed or _places(one) == _places(other)
    except ChatCorpusError:
        return False


def _places(file: RawFile) -> bytes:
    width = min(_BYTES, file.size)
    starts = {place * (file.size - width) // (_PLACES - 1) for place in range(_PLACES)}
    return b"".join(read_range(file, start, start + width) for start in sorted(starts))
