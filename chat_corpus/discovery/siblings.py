"""Recognise files by the other files in their folder: outputs, and files that cannot be recognised alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from chat_corpus.discovery.file_names import converted_source
from chat_corpus.discovery.model import FileMatch, MatchedBy, Slot, UnrecognisedFile
from chat_corpus.files.raw_file import RawFile
from chat_corpus.messages import message
from chat_corpus.sources.base import Source

#: Files that are read together have the same number of records, within this ratio of the estimates.
_MAX_RATIO = 1.25
#: A folder with this many files that are named as outputs is an output folder, even without a report.
_MIN_OUTPUTS = 3


def folder_of(file: RawFile) -> str:
    """Return the folder of a file in the form in which it is displayed."""
    return str(PurePosixPath(file.name).parent)


def exclude_outputs(
    matches: Sequence[FileMatch], unrecognised: Sequence[UnrecognisedFile], sources: Mapping[str, Source]
) -> tuple[list[FileMatch], list[UnrecognisedFile]]:
    """Return matches and unrecognised files, with outputs of this or a similar program among the unrecognised ones.

    An output is a `.tsv` file with the name of a source, in a folder with a report, an index, or at least two others.
    """
    files = [*(match.file for match in matches), *(item.file for item in unrecognised)]
    paths = [PurePosixPath(file.name) for file in files]
    outputs = Counter(path.parent for path in paths if converted_source(str(path), sources))
    folders = {folder for folder, count in outputs.items() if count >= _MIN_OUTPUTS}
    folders |= {path.parent for path in paths if path.name == "report.json"}
    folders |= {path.parent.parent for path in paths if path.parent.name == "index"}

    def is_output(file: RawFile) -> bool:
        path = PurePosixPath(file.name)
        return path.parent in folders and converted_source(str(path), sources) is not None

    excluded = {match.file for match in matches if match.matched_by is MatchedBy.CONTENT and is_output(match.file)}
    excluded |= {item.file for item in unrecognised if is_output(item.file)}
    reason = message("an output of chat-corpus or of a similar program")
    added = [UnrecognisedFile(file=file, reason=reason) for file in sorted(excluded, key=lambda file: file.name)]
    remaining = [item for item in unrecognised if item.file not in excluded]
    return [match for match in matches if match.file not in excluded], [*remaining, *added]


def match_siblings(
    matches: Sequence[FileMatch], unrecognised: Sequence[UnrecognisedFile], sources: Mapping[str, Source]
) -> tuple[list[FileMatch], list[UnrecognisedFile]]:
    """Return matches and unrecognised files, with files that others in their folder identify among the matches."""
    candidates: dict[tuple[str, Slot], list[FileMatch]] = {}
    for item in unrecognised:
        for match in item.possible_matches:
            candidates.setdefault((folder_of(match.file), match.slot), []).append(match)
    matched: dict[tuple[str, str, int], list[FileMatch]] = {}
    for match in matches:
        matched.setdefault((folder_of(match.file), match.slot.source, match.slot.input), []).append(match)
    added: dict[RawFile, FileMatch] = {}
    for (folder, slot), possible in candidates.items():
        siblings = matched.get((folder, slot.source, slot.input), [])
        is_filled = any(match.slot == slot for match in siblings)
        if len(possible) == 1 and siblings and not is_filled and possible[0].file not in added:
            is_single = sources[slot.source].inputs[slot.input].format.parts == 1
            if is_single or _have_same_length(possible[0], siblings[0]):
                added[possible[0].file] = possible[0]
    return [*matches, *added.values()], [item for item in unrecognised if item.file not in added]


def _have_same_length(one: FileMatch, other: FileMatch) -> bool:
    records = [match.file.size * match.sample.records / max(1, match.sample.bytes) for match in (one, other)]
    return max(records) <= _MAX_RATIO * min(records)
