"""Files that nothing tells by themselves, but the others in their folder do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from chat_corpus.raw import RawFile
from chat_corpus.recognise import Claim, Place, Stray
from chat_corpus.source import Source

#: Two files that are read together have as many records, as far as samples can tell.
_AS_MANY = 1.25


def folder(file: RawFile) -> str:
    """The folder of a file, as it is displayed."""
    return str(PurePosixPath(file.name).parent)


def joined(claims: list[Claim], strays: list[Stray], sources: Mapping[str, Source]) -> list[Stray]:
    """Add to the claims the strays that the files beside them tell; returns the others."""
    could: dict[tuple[str, Place], list[Claim]] = {}
    for stray in strays:
        for told in stray.candidates:
            could.setdefault((folder(told.file), told.place), []).append(told)
    known: dict[tuple[str, str, int], list[Claim]] = {}
    for told in claims:
        known.setdefault((folder(told.file), *told.place[:2]), []).append(told)
    joined = set()
    for (where, place), several in could.items():
        beside = known.get((where, *place[:2]), [])
        filled = any(told.place == place for told in beside)
        if len(several) == 1 and beside and not filled and several[0].file not in joined:
            alone = sources[place[0]].inputs[place[1]].format.parts == 1
            if alone or _as_many(several[0], beside[0]):
                claims.append(several[0])
                joined.add(several[0].file)
    return [stray for stray in strays if stray.file not in joined]


def _as_many(one: Claim, other: Claim) -> bool:
    lines = [told.file.size * told.sampled.records / max(1, told.sampled.bytes) for told in (one, other)]
    return max(lines) <= _AS_MANY * min(lines)
