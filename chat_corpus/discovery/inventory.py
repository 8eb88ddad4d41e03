"""Inventory of the raw folder: the files of each source, incomplete inputs, and the bundled samples.

Bundled samples are recognised by their content, so that a real corpus unpacked over them replaces them one by one. If
there is at least one real file, no sample is read.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from chat_corpus.discovery.grouping import group_files
from chat_corpus.discovery.identify import identify_file
from chat_corpus.discovery.model import DiscoveredSource, FileMatch, Inventory, UnrecognisedFile
from chat_corpus.discovery.samples import is_sample
from chat_corpus.discovery.siblings import exclude_outputs, match_siblings
from chat_corpus.discovery.walk import walk
from chat_corpus.errors import UsageError
from chat_corpus.files.compression import content_name
from chat_corpus.files.raw_file import RawFile
from chat_corpus.messages import message
from chat_corpus.sources.base import Source
from chat_corpus.sources.definitions import Definitions

_log = logging.getLogger(__name__)

#: The raw folder by default, which need not exist if corpora are added.
DEFAULT_RAW = "raw_chat_corpus"
#: After this many unrecognised files, files without a corpus's name are not opened.
MAX_OPENED = 2000


def discover_sources(raw: Path, sources: Mapping[str, Source], added: Definitions = ()) -> dict[str, DiscoveredSource]:
    """Return the sources of `discover` by name, and log warnings about unrecognised files that may hold a corpus.

    Raises UsageError if `raw` is not a folder.
    """
    inventory = discover(raw, sources, added)
    for item in inventory.unrecognised:
        if item.warn:
            _log.warning("%s", _skipped(item), extra={"event": "file.left"})
    return inventory.found


def discover(raw: Path, sources: Mapping[str, Source], added: Definitions = ()) -> Inventory:
    """Return the files of each source under `raw`, and of the corpora that the user has `added`.

    The definitions of added corpora must be settled. Raises UsageError if files of added corpora are missing, or if
    `raw` is not a folder; but the default folder may be missing if there are added corpora.
    """
    if not added:
        return _discover_raw(raw, sources, any_real=False)
    from chat_corpus.discovery.added import discover_added, real_paths

    public = {name: source for name, source in sources.items() if name not in dict(added)}
    own = {name: discover_added(name, definition, sources[name]) for name, definition in added}
    if not raw.exists() and raw.absolute() == Path(DEFAULT_RAW).absolute():
        absent = {name: DiscoveredSource(source=source) for name, source in public.items()}
        return Inventory(found={**absent, **own}, unrecognised=[])
    inventory = _discover_raw(raw, public, any_real=any(one.groups for one in own.values()))
    paths = {path for one in own.values() for path in real_paths(one)}
    unrecognised = [item for item in inventory.unrecognised if os.path.realpath(item.file.path) not in paths]
    return Inventory(found={**inventory.found, **own}, unrecognised=unrecognised)


def _discover_raw(raw: Path, sources: Mapping[str, Source], *, any_real: bool) -> Inventory:
    """Return the files of each source under `raw`; if `any_real`, bundled samples are not read."""
    if raw.is_file():
        raise UsageError(message("{path}: is a file; name a folder with --raw", path=raw))
    if not raw.is_dir():
        raise UsageError(
            message(
                "{folder}: no such folder. To try samples: chat-corpus demo; your own data: --add NAME=PATH; public "
                "corpora: put them into a folder (no need to unpack them) and name it with --raw",
                folder=raw,
            )
        )
    matches, unrecognised = _identify_files(raw, sources)
    if len(unrecognised) > MAX_OPENED:
        text = message(
            "{folder}: more than {count:,} unrecognised files; the files after these were checked by name only",
            folder=raw,
            count=MAX_OPENED,
        )
        _log.warning("%s", text, extra={"event": "files.many"})
    matches, unrecognised = exclude_outputs(matches, unrecognised, sources)
    matches, unrecognised = match_siblings(matches, unrecognised, sources)
    found = _group_sources(matches, sources, any_real=any_real)
    _report_damaged(found, unrecognised)
    _report_unusable(found, unrecognised)
    return Inventory(found=found, unrecognised=unrecognised)


def _group_sources(
    matches: list[FileMatch], sources: Mapping[str, Source], *, any_real: bool
) -> dict[str, DiscoveredSource]:
    """Return the files of each source in groups, without bundled samples if there is a real file here or elsewhere."""
    samples = {match.file for match in matches if is_sample(match.file)}
    is_real = any_real or any(match.file not in samples for match in matches)
    found = {}
    for name, source in sources.items():
        of_source = [match for match in matches if match.slot.source == name]
        used = [match for match in of_source if not is_real or match.file not in samples]
        found[name] = group_files(source, used)
        found[name].sample = bool(found[name].groups) and not is_real
        found[name].samples_left = len(of_source) - len(used)
    return found


def _identify_files(raw: Path, sources: Mapping[str, Source]) -> tuple[list[FileMatch], list[UnrecognisedFile]]:
    """Return the recognised and the unrecognised files.

    If an archive has several members with the same name, the last readable one is used.
    """
    results: list[FileMatch | UnrecognisedFile] = []
    positions: dict[str, int] = {}
    unrecognised = 0
    for entry in walk(raw):
        result = identify_file(entry, sources, by_content=unrecognised < MAX_OPENED)
        unrecognised += isinstance(result, UnrecognisedFile)
        if not entry.problem:
            if entry.file.name in positions:
                earlier = positions[entry.file.name]
                results[earlier] = _replaced(results[earlier].file, entry.file)
            positions[entry.file.name] = len(results)
        results.append(result)
    return (
        [result for result in results if isinstance(result, FileMatch)],
        [result for result in results if isinstance(result, UnrecognisedFile)],
    )


def _replaced(file: RawFile, later: RawFile) -> UnrecognisedFile:
    """Return a member that a later one with the same name replaces, as in an archive that was updated.

    The user is warned if the stored names differ: then they are equal only after `archives.safe_name`.
    """
    reason = message("a later member of the archive has the same name and is read instead, as unpacking would do")
    return UnrecognisedFile(file=file, reason=reason, warn=file.member != later.member)


def _skipped(item: UnrecognisedFile) -> str:
    return message("skipped {file}: {reason}", file=item.file.name, reason=item.reason)


def _report_damaged(found: Mapping[str, DiscoveredSource], unrecognised: Iterable[UnrecognisedFile]) -> None:
    for item in unrecognised:
        if item.damaged_source:
            discovered = found[item.damaged_source]
            name = PurePosixPath(content_name(item.file.name)).name
            if any(PurePosixPath(content_name(file.name)).name == name for file in discovered.files):
                discovered.remarks.append(_skipped(item))
            else:
                discovered.damaged.append(message("{file}: {reason}", file=item.file.name, reason=item.reason))


def _report_unusable(found: Mapping[str, DiscoveredSource], unrecognised: Iterable[UnrecognisedFile]) -> None:
    for item in unrecognised:
        if item.unusable_source:
            discovered = found[item.unusable_source]
            if discovered.groups:
                discovered.remarks.append(_skipped(item))
            else:
                discovered.unusable.append(message("{file}: {reason}", file=item.file.name, reason=item.reason))
