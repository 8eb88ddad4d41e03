"""Group the files of one source: which files are read together, and which are skipped, with the reason."""

from __future__ import annotations

from functools import partial
from pathlib import PurePosixPath

from chat_corpus.discovery import remarks
from chat_corpus.discovery.file_names import without_copy_suffix
from chat_corpus.discovery.model import DiscoveredSource, FileGroup, FileMatch, MatchedBy
from chat_corpus.discovery.siblings import folder_of
from chat_corpus.files.compression import content_name
from chat_corpus.files.content import content_key, same_content
from chat_corpus.files.raw_file import RawFile
from chat_corpus.sources.base import Input, Source


def group_files(source: Source, matches: list[FileMatch]) -> DiscoveredSource:
    """Return the files that match a source in groups, with remarks on files that are skipped."""
    discovered = DiscoveredSource(source=source)
    names = {match.file.name for match in matches}
    matches = _without_copies(_without_other_formats(matches, discovered), discovered)
    for number, input_ in enumerate(source.inputs):
        candidates = sorted((match for match in matches if match.slot.input == number), key=partial(_order, input_))
        candidates = [match for match in candidates if not _is_unpacked_too(match.file, names, discovered)]
        if discovered.groups and source.alternatives and candidates:
            discovered.remarks += (remarks.another_version(match.file, discovered.files[0]) for match in candidates)
        elif discovered.groups and input_.remade and not source.overlapping:
            discovered.remarks += (remarks.converted_copy(match.file, discovered.files[0]) for match in candidates)
        elif input_.format.parts == 1:
            _group_single_files(discovered, number, input_, _best_edition(input_, candidates, discovered))
        else:
            _group_parallel_files(discovered, number, input_, candidates)
    read = set(discovered.files)
    matches_read = [match for match in matches if match.file in read]
    discovered.head_samples = {match.file: match.sample for match in matches_read}
    _remark_on_same_names(discovered, matches_read)
    _remark_on_renamed(discovered, matches_read)
    _find_missing(discovered, matches)
    return discovered


def _order(input_: Input, match: FileMatch) -> tuple[bool, int, int, str]:
    """Return the sort key of a file of an input: files matched by name come first."""
    by_content = match.matched_by in (MatchedBy.CONTENT, MatchedBy.SIBLINGS)
    return by_content, match.slot.file_index, input_.rank(content_name(match.file.name)), match.file.name


def _without_other_formats(matches: list[FileMatch], discovered: DiscoveredSource) -> list[FileMatch]:
    """Return the matches without files that differ from a better one only in the ending: `ai.json` next to `ai.yml`.

    The first such file is read: files matched by name come first, then the order is that of inputs and of names.
    """
    chosen: dict[tuple[str, str], FileMatch] = {}
    remaining: list[FileMatch] = []
    inputs = discovered.source.inputs
    by_name_first = sorted(
        matches, key=lambda match: (match.matched_by is not MatchedBy.NAME, match.slot.input, match.file.name)
    )
    for match in by_name_first:
        path = PurePosixPath(content_name(match.file.name))
        first = chosen.setdefault((str(path.parent), path.stem.lower().removesuffix(".corpus")), match)
        same_ending = PurePosixPath(content_name(first.file.name)).suffix == path.suffix
        if first is match or same_ending or inputs[match.slot.input].format.parts > 1 or not path.suffix:
            remaining.append(match)
        else:
            discovered.remarks.append(remarks.another_format(match.file, first.file))
    return remaining


def _without_copies(matches: list[FileMatch], discovered: DiscoveredSource) -> list[FileMatch]:
    """Return the matches without files named as copies of others, for example with ``_raw`` or ``_sample``."""
    names = {PurePosixPath(content_name(match.file.name).lower()).name: match.file.name for match in matches}
    remaining: list[FileMatch] = []
    for match in matches:
        base = PurePosixPath(content_name(match.file.name)).name
        release = names.get(without_copy_suffix(base)) if without_copy_suffix(base) != base.lower() else None
        parallel = discovered.source.inputs[match.slot.input].format.parts > 1
        if release is None or release == match.file.name or parallel:
            remaining.append(match)
        else:
            discovered.remarks.append(remarks.another_edition(match.file.name, release))
    return remaining


def _best_edition(input_: Input, matches: list[FileMatch], discovered: DiscoveredSource) -> list[FileMatch]:
    """Return the matches of an input that have the lowest rank."""
    ranks = [input_.rank(content_name(match.file.name)) for match in matches]
    lowest = min(ranks, default=0)
    best = [match for match, rank in zip(matches, ranks, strict=True) if rank == lowest]
    for match, rank in zip(matches, ranks, strict=True):
        if rank > lowest:
            discovered.remarks.append(remarks.another_edition(match.file.name, best[0].file.name))
    return best


def _find_missing(discovered: DiscoveredSource, matches: list[FileMatch]) -> None:
    """Add the missing files of a source. A renamed file may be any of them, so only their number is certain."""
    paths = [PurePosixPath(content_name(match.file.name)) for match in matches]
    missing = [pattern for pattern in discovered.source.complete if not any(path.match(pattern) for path in paths)]
    if discovered.groups and len(missing) > len(discovered.renamed):
        discovered.missing.extend(missing)
        if discovered.renamed:
            discovered.remarks.append(remarks.some_missing(missing, renamed=len(discovered.renamed)))


def _remark_on_renamed(discovered: DiscoveredSource, matches: list[FileMatch]) -> None:
    for matched_by in (MatchedBy.GARBLED_NAME, MatchedBy.CONTENT, MatchedBy.SIBLINGS):
        files = [match.file for match in matches if match.matched_by is matched_by]
        if files:
            discovered.remarks.append(remarks.recognised([file.name for file in files], matched_by))
            discovered.renamed.extend(files)


def _group_single_files(discovered: DiscoveredSource, number: int, input_: Input, matches: list[FileMatch]) -> None:
    """Make each file a group. If a file was matched by name, a file matched only by content is a different version."""
    chosen: list[FileMatch] = []
    look_of = content_key([*discovered.files, *(match.file for match in matches)])
    files_by_look: dict[object, list[RawFile]] = {}
    for file in discovered.files:
        files_by_look.setdefault(look_of(file), []).append(file)
    for match in matches:
        others = files_by_look.setdefault(look_of(match.file), [])
        same = next((other for other in others if same_content(other, match.file)), None)
        others.append(match.file)
        if same is not None:
            discovered.remarks.append(remarks.same_content(match.file, same))
        elif _is_weaker(match, chosen) and not input_.many:
            discovered.remarks.append(remarks.without_name(match.file, chosen[0].file))
        else:
            chosen.append(match)
            discovered.groups.append(FileGroup(input=number, files=(match.file,)))
    if len(chosen) > 1 and not input_.many:
        discovered.remarks.append(remarks.different_files([match.file.name for match in chosen]))


def _is_weaker(match: FileMatch, chosen: list[FileMatch]) -> bool:
    """Return whether a file was matched only by content, and the first chosen file by its name or by siblings."""
    return match.matched_by is MatchedBy.CONTENT and bool(chosen) and chosen[0].matched_by is not MatchedBy.CONTENT


def _remark_on_same_names(discovered: DiscoveredSource, matches: list[FileMatch]) -> None:
    """Remark on files with the same name, which may be versions of the same file.

    If the stem of the pattern is `*`, the name is the path with as many components as the pattern.
    """
    files_by_name: dict[str, list[str]] = {}
    for match in matches:
        input_ = discovered.source.inputs[match.slot.input]
        if not input_.many or input_.format.parts > 1:
            continue
        path = PurePosixPath(content_name(match.file.name).lower())
        pattern = input_.files[match.slot.file_index]
        depth = len(PurePosixPath(pattern).parts) if match.matched_by is MatchedBy.NAME else 0
        if depth and PurePosixPath(pattern).stem != "*":
            files_by_name.setdefault(path.name, []).append(match.file.name)
        elif depth:
            files_by_name.setdefault("/".join(path.parts[-depth:]), []).append(match.file.name)
    for names in files_by_name.values():
        if len(names) > 1:
            discovered.remarks.append(remarks.same_names(names))


def _is_unpacked_too(file: RawFile, names: set[str], discovered: DiscoveredSource) -> bool:
    """Return whether an unpacked copy of a compressed file, or of a member of an archive, is among `names`."""
    if file.member is None:
        copies = {content_name(file.name)} - {file.name}
    else:
        # Unpacked by `unzip`, by a file manager (into a folder with the name of the archive), or without its folders.
        archive = PurePosixPath(file.holder)
        inside = PurePosixPath(file.name).relative_to(archive)
        unpacked = content_name(archive.name).rpartition(".")[0]
        paths = (archive.parent / inside, archive.parent / unpacked / inside, archive.parent / inside.name)
        copies = set(map(str, paths))
    if not copies & names:
        return False
    discovered.remarks.append(remarks.unpacked(file))
    return True


def _group_parallel_files(discovered: DiscoveredSource, number: int, input_: Input, matches: list[FileMatch]) -> None:
    """Make the files of each folder that has all parts a group."""
    complete = _complete_folders(discovered, input_, matches)
    named = {match.file for match in matches if match.matched_by in (MatchedBy.NAME, MatchedBy.GARBLED_NAME)}
    ranks = {folder: _rank(input_, files, named) for folder, files in complete.items()}
    best = min(ranks.values(), default=(0, 0))
    best_folder = next((folder for folder, rank in ranks.items() if rank == best), "")
    for folder, files in complete.items():
        same = next((group for group in discovered.groups if _all_alike(group.files, files)), None)
        if ranks[folder] != best:
            for file, release in zip(files, complete[best_folder], strict=True):
                discovered.remarks.append(remarks.another_edition(file.name, release.name))
        elif same is not None:
            discovered.remarks.append(remarks.same_folder(folder, folder_of(same.files[0])))
        else:
            discovered.groups.append(FileGroup(input=number, files=files))
    if discovered.groups:  # other folders may lack a part
        discovered.missing.clear()
    if len(discovered.groups) > 1:
        discovered.remarks.append(remarks.different_copies([folder_of(group.files[0]) for group in discovered.groups]))


def _complete_folders(
    discovered: DiscoveredSource, input_: Input, matches: list[FileMatch]
) -> dict[str, tuple[RawFile, ...]]:
    """Return the files of each folder that has all parts of an input, in the order of the parts."""
    files_by_folder: dict[str, dict[int, RawFile]] = {}
    for match in matches:
        files = files_by_folder.setdefault(folder_of(match.file), {})
        other = files.setdefault(match.slot.file_index, match.file)
        if other is not match.file:
            discovered.remarks.append(remarks.replaced(match.file, other))
    complete: dict[str, tuple[RawFile, ...]] = {}
    for folder, files in files_by_folder.items():
        missing = [pattern for index, pattern in enumerate(input_.files) if index not in files]
        if missing:
            discovered.missing.extend(missing)
            discovered.remarks.append(remarks.part_missing(folder, missing))
        else:
            complete[folder] = tuple(files[index] for index in sorted(files))
    return complete


def _rank(input_: Input, files: tuple[RawFile, ...], named: set[RawFile]) -> tuple[int, int]:
    """Return the distance of files from the release: the number of files without its names, and the highest rank."""
    return sum(file not in named for file in files), max(input_.rank(content_name(file.name)) for file in files)


def _all_alike(these: tuple[RawFile, ...], those: tuple[RawFile, ...]) -> bool:
    return len(these) == len(those) and all(same_content(one, other) for one, other in zip(these, those, strict=True))
