"""Which files have the same content: as a bundled sample, or as each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from chat_corpus.errors import ChatCorpusError
from chat_corpus.files.content import digest
from chat_corpus.files.raw_file import RawFile


@cache
def _samples() -> Mapping[str, int]:
    """SHA-256 and size of each bundled sample."""
    known: dict[str, int] = json.loads(files("chat_corpus.discovery").joinpath("samples.json").read_text("utf-8"))
    return known


def is_sample(file: RawFile) -> bool:
    """Whether a file is one of the bundled samples, by its content."""
    if file.size not in _samples().values():
        return False
    try:
        return digest(file) in _samples()
    except ChatCorpusError:  # a damaged file is like no other, and whoever reads it to work on it will say so
        return False
