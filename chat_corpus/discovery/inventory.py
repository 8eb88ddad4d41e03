"""What lies in the raw folder: which files are whose, which inputs are incomplete, and which are the bundled samples.

Bundled samples are known by their content, so that a real corpus unpacked over them replaces them one by one; as soon
as one real file is there, no sample is read.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from chat_corpus.discovery.added import discover_added, files_of
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
from chat_corpus.sources.definitions import Definitions

_log = logging.getLogger(__name__)

#: The raw folder that need not be there where corpora are added: `Settings.raw` by default.
DEFAULT_RAW = "raw_chat_corpus"
#: So many files of no corpus are looked into.
_LOOKS = 2000


def survey(raw: Path, sources: Mapping[str, Source], added: Definitions = ()) -> dict[str, DiscoveredSource]:
    """What was found under `raw` for each source. Warns of what may hide a corpus. Raises UsageError as `discover`."""
    told = discover(raw, sources, added)
    for stray in told.unrecognised:
        if stray.warn:
            _log.warning("%s left alone: %s", stray.file.name, stray.reason, extra={"event": "file.left"})
    return told.found


def discover(raw: Path, sources: Mapping[str, Source], added: Definitions = ()) -> Inventory:
    """What was found under `raw`, and of corpora that the user has `added`, whose definitions are settled.

    Raises UsageError where `raw` is no folder, unless it is the default and corpora are added, and as `settled` does.
    """
    known = {name: source for name, source in sources.items() if name not in dict(added)}
    given = {name: discover_added(name, definition, sources[name]) for name, definition in added}
    if not raw.is_dir():
        if added and raw.absolute() == Path(DEFAULT_RAW).absolute():
            return Inventory(
                found={**{name: DiscoveredSource(source=one) for name, one in known.items()}, **given}, unrecognised=[]
            )
        raise UsageError(f"{raw}: no such folder; make it and unpack corpora into it, or name another with --raw")
    inventory = _discover_raw(raw, known, real=any(one.groups for one in given.values()))
    taken = {path for one in given.values() for path in files_of(one)}
    strays = [one for one in inventory.unrecognised if os.path.realpath(one.file.path) not in taken]
    return Inventory(found={**inventory.found, **given}, unrecognised=strays)


def _discover_raw(raw: Path, sources: Mapping[str, Source], *, real: bool) -> Inventory:
    """What was found under `raw`; where there is a `real` corpus, the bundled samples are not read."""
    claims, strays = _judged(raw, sources)
    if len(strays) > _LOOKS:
        about = {"event": "files.many"}
        _log.warning("%s: after %s files of no corpus, only names were looked at", raw, f"{_LOOKS:,}", extra=about)
    claims, strays = own_outputs(claims, strays, sources)
    claims, strays = match_siblings(claims, strays, sources)
    samples = {told.file for told in claims if is_sample(told.file)}
    real = real or any(told.file not in samples for told in claims)
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
