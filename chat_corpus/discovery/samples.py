"""The samples that the package bundles, recognised by their content."""

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
    """Return the size in bytes of each bundled sample, by its SHA-256."""
    sizes: dict[str, int] = json.loads(files("chat_corpus.discovery").joinpath("samples.json").read_text("utf-8"))
    return sizes


def is_sample(file: RawFile) -> bool:
    """Whether the content of a file is that of a bundled sample."""
    if file.size not in _samples().values():
        return False
    try:
        return digest(file) in _samples()
    except ChatCorpusError:  # a damaged file is no sample; whoever reads it reports the damage
        return False
