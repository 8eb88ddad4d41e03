"""What lies in the raw folder: which files are whose, which inputs are incomplete, and which are the bundled samples.

Bundled samples are known by their content, so that a real corpus unpacked over them replaces them one by one; as soon
as one real file is there, no sample is read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from chat_corpus.discovery.grouping import grouped
from chat_corpus.discovery.identify import identify_file
from chat_corpus.discovery.model import DiscoveredSource, FileMatch, Inventory, UnrecognisedFile
from chat_corpus.discovery.samples import is_sample
from chat_corpus.discovery.siblings import match_siblings, own_outputs
from chat_corpus.discovery.walk import walk
from chat_corpus.errors import UsageError
from chat_corpus.files.compression import content_name
from chat_corpus.files.raw_file import RawFile
from chat_corpus.sources.base import Source

_log = logging.getLogger(__name__)

#: So many files of no corpus are looked into.
_LOOKS = 2000


def survey(raw: Path, sources: Mapping[str, Source]) -> dict[str, DiscoveredSource]:
    """What was found under `raw` for each source. Warns of what may hide a corpus. Raises UsageError as `discover`."""
    told = discover(raw, sources)
    for stray in told.unrecognised:
        if stray.warn:
            _log.warning("%s left alone: %s", stray.file.name, stray.reason, extra={"event": "file.left"})
    return told.found


def discover(raw: Path, sources: Mapping[str, Source]) -> Inventory:
    """What was found under `raw`. Raises UsageError where `raw` is no folder."""
    if not raw.is_dir():
        raise UsageError(f"{raw}: no such folder; make it and unpack corpora into it, or name another with --raw")
    claims, strays = _judged(raw, sources)
    if len(strays) > _LOOKS:
        about = {"event": "files.many"}
        _log.warning("%s: after %s files of no corpus, only names were looked at", raw, f"{_LOOKS:,}", extra=about)
    claims, strays = own_outputs(claims, strays, sources)
    claims, strays = match_siblings(claims, strays, sources)
    samples = {told.file for told in claims if is_sample(told.file)}
    real = any(told.file not in samples for told in claims)
    found = {}
    for name, source in sources.items():
        mine = [told for told in claims if told.place[0] == name]
        kept = [told for told in mine if not real or told.file not in samples]
        found[name] = grouped(source, kept)
        found[name].sample = bool(found[name].groups) and not real
        found[name].samples_left = len(mine) - len(kept)
    _assign_damage(found, strays)
    _assign_unusable(found, strays)
    return Inventory(found=found, unrecognised=strays)


def _judged(raw: Path, sources: Mapping[str, Source]) -> tuple[list[FileMatch], list[UnrecognisedFile]]:
    """Whose each file is; of a name that an archive holds more than once, the last is read that can be."""
    told: list[FileMatch | UnrecognisedFile] = []
    places: dict[str, int] = {}
    strays = 0
    for entry in walk(raw):
        judged = identify_file(entry, sources, by_content=strays < _LOOKS)
        strays += isinstance(judged, UnrecognisedFile)
        if not entry.trouble:
            if entry.file.name in places:
                earlier = places[entry.file.name]
                told[earlier] = _replaced(told[earlier].file, entry.file)
            places[entry.file.name] = len(told)
        told.append(judged)
    return [one for one in told if isinstance(one, FileMatch)], [
        one for one in told if isinstance(one, UnrecognisedFile)
    ]


def _replaced(file: RawFile, later: RawFile) -> UnrecognisedFile:
    """An archive that was added to holds earlier versions; names that differ are one without what climbs out of it."""
    told = "a later member comes under the same name and is read in its place, as when they are unpacked"
    return UnrecognisedFile(file=file, reason=told, warn=file.member != later.member)


def _assign_damage(found: Mapping[str, DiscoveredSource], strays: Iterable[UnrecognisedFile]) -> None:
    for stray in strays:
        if stray.damaged:
            one = found[stray.damaged]
            name = PurePosixPath(content_name(stray.file.name)).name
            if any(PurePosixPath(content_name(file.name)).name == name for file in one.files):
                one.remarks.append(f"{stray.file.name} left alone: {stray.reason}")
            else:
                one.damaged.append(f"{stray.file.name}: {stray.reason}")


def _assign_unusable(found: Mapping[str, DiscoveredSource], strays: Iterable[UnrecognisedFile]) -> None:
    for stray in strays:
        if stray.meant:
            one = found[stray.meant]
            if one.groups:
                one.remarks.append(f"{stray.file.name} left alone: {stray.reason}")
            else:
                one.unusable.append(f"{stray.file.name}: {stray.reason}")
