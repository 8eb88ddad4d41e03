"""Files that nothing tells by themselves, but the others in their folder do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from chat_corpus.discovery.file_names import made_of
from chat_corpus.discovery.model import FileMatch, How, Place, UnrecognisedFile
from chat_corpus.files.raw_file import RawFile
from chat_corpus.sources.base import Source

#: Two files that are read together have as many records, as far as samples can tell.
_AS_MANY = 1.25
#: So many files that are named as outputs are an output folder, without a report.
_MADE = 3


def folder(file: RawFile) -> str:
    """The folder of a file, as it is displayed."""
    return str(PurePosixPath(file.name).parent)


def own_outputs(
    claims: Sequence[FileMatch], strays: Sequence[UnrecognisedFile], sources: Mapping[str, Source]
) -> tuple[list[FileMatch], list[UnrecognisedFile]]:
    """Claims and strays, once what this program, or one like it, has made of corpora is a stray, of claims by content.

    It is named as a source, beside a report, an index, or as much of two other corpora at least.
    """
    paths = [PurePosixPath(file.name) for file in (*(told.file for told in claims), *(told.file for told in strays))]
    beside = Counter(path.parent for path in paths if made_of(str(path), sources))
    folders = {where for where, count in beside.items() if count >= _MADE}
    folders |= {path.parent for path in paths if path.name == "report.json"}
    folders |= {path.parent.parent for path in paths if path.parent.name == "index"}

    def is_output(file: RawFile) -> bool:
        path = PurePosixPath(file.name)
        return path.parent in folders and made_of(str(path), sources) is not None

    mine = {told.file for told in claims if told.how is How.CONTENT and is_output(told.file)}
    mine |= {stray.file for stray in strays if is_output(stray.file)}
    told = "what this program, or one like it, has made of a corpus"
    made = [UnrecognisedFile(file=file, reason=told) for file in sorted(mine, key=lambda file: file.name)]
    left = [stray for stray in strays if stray.file not in mine]
    return [told for told in claims if told.file not in mine], [*left, *made]


def match_siblings(
    claims: Sequence[FileMatch], strays: Sequence[UnrecognisedFile], sources: Mapping[str, Source]
) -> tuple[list[FileMatch], list[UnrecognisedFile]]:
    """Claims and strays, once the strays that the files beside them tell are claims."""
    could: dict[tuple[str, Place], list[FileMatch]] = {}
    for stray in strays:
        for told in stray.possible_matches:
            could.setdefault((folder(told.file), told.place), []).append(told)
    known: dict[tuple[str, str, int], list[FileMatch]] = {}
    for told in claims:
        known.setdefault((folder(told.file), *told.place[:2]), []).append(told)
    found: dict[RawFile, FileMatch] = {}
    for (where, place), several in could.items():
        beside = known.get((where, *place[:2]), [])
        filled = any(told.place == place for told in beside)
        if len(several) == 1 and beside and not filled and several[0].file not in found:
            alone = sources[place[0]].inputs[place[1]].format.parts == 1
            if alone or _as_many(several[0], beside[0]):
                found[several[0].file] = several[0]
    return [*claims, *found.values()], [stray for stray in strays if stray.file not in found]


def _as_many(one: FileMatch, other: FileMatch) -> bool:
    lines = [told.file.size * told.sampled.records / max(1, told.sampled.bytes) for told in (one, other)]
    return max(lines) <= _AS_MANY * min(lines)
