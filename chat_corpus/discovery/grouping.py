"""The files of one source as groups that are read together, and why others of it are left alone."""

from __future__ import annotations

from pathlib import PurePosixPath

from chat_corpus.discovery.file_names import without_marks
from chat_corpus.discovery.model import DiscoveredSource, FileGroup, FileMatch, How
from chat_corpus.discovery.siblings import folder
from chat_corpus.files.compression import content_name
from chat_corpus.files.content import alike, looks
from chat_corpus.files.raw_file import RawFile
from chat_corpus.sources.base import Input, Source

_REMADE = "{} left alone: what somebody has made of this corpus, and {} is read"
_SIBLING = "{} left alone: another form, edition or part of {}, which is read"
#: So many files are named in a remark.
_NAMED = 3


def grouped(source: Source, claims: list[FileMatch]) -> DiscoveredSource:
    """What is read of the files that are one source's, in groups, and remarks on those that are not."""
    found = DiscoveredSource(source=source)
    names = {told.file.name for told in claims}
    claims = _without_siblings(_one_form_each(claims, found), found)
    for number, wanted in enumerate(source.inputs):
        mine = [told for told in claims if told.place[1] == number]
        mine.sort(
            key=lambda told: (
                told.how in (How.CONTENT, How.SIBLINGS),
                told.place[2],
                wanted.rank(content_name(told.file.name)),
                told.file.name,
            )
        )
        mine = [told for told in mine if not _unpacked_too(told.file, names, found)]
        if found.groups and source.alternatives and mine:
            found.remarks.extend(f"{told.file.name} left alone: a version of what was read already" for told in mine)
        elif found.groups and wanted.remade and not source.overlapping:
            found.remarks.extend(_REMADE.format(told.file.name, found.files[0].name) for told in mine)
        elif wanted.format.parts == 1:
            _group_single(found, number, wanted, _best(wanted, mine, found))
        else:
            _group_parts(found, number, wanted, mine)
    read = set(found.files)
    found.sampled = {told.file: told.sampled for told in claims if told.file in read}
    _tell_same_names(found, [told for told in claims if told.file in read])
    _tell_renamed(found, [told for told in claims if told.file in read])
    _tell_missing(found, claims)
    return found


def _one_form_each(claims: list[FileMatch], found: DiscoveredSource) -> list[FileMatch]:
    """The claims without files of the same folder and name in another form, as a release in JSON and in JSON Lines.

    Of these the first is read, by the order of the source's inputs and of the names.
    """
    chosen: dict[tuple[str, str], FileMatch] = {}
    several: list[FileMatch] = []
    inputs = found.source.inputs
    for told in sorted(claims, key=lambda told: (told.how is not How.NAME, told.place[1], told.file.name)):
        path = PurePosixPath(content_name(told.file.name))
        first = chosen.setdefault((str(path.parent), path.stem.lower().removesuffix(".corpus")), told)
        same = PurePosixPath(content_name(first.file.name)).suffix == path.suffix
        if first is told or same or inputs[told.place[1]].format.parts > 1 or not path.suffix:
            several.append(told)
        else:
            found.remarks.append(f"{told.file.name} left alone: another form of {first.file.name}, which is read")
    return several


def _without_siblings(claims: list[FileMatch], found: DiscoveredSource) -> list[FileMatch]:
    """The claims without files whose name is another one's with a mark, as ``_raw`` or ``_sample``."""
    names = {PurePosixPath(content_name(told.file.name).lower()).name: told.file.name for told in claims}
    several: list[FileMatch] = []
    for told in claims:
        own = PurePosixPath(content_name(told.file.name)).name
        release = names.get(without_marks(own)) if without_marks(own) != own.lower() else None
        if release is None or release == told.file.name or found.source.inputs[told.place[1]].format.parts > 1:
            several.append(told)
        else:
            found.remarks.append(_SIBLING.format(told.file.name, release))
    return several


def _best(wanted: Input, claims: list[FileMatch], found: DiscoveredSource) -> list[FileMatch]:
    """The claims on an input without siblings of what is there."""
    best = min((wanted.rank(content_name(told.file.name)) for told in claims), default=0)
    first = next((told for told in claims if wanted.rank(content_name(told.file.name)) == best), None)
    for told in claims:
        if first is not None and wanted.rank(content_name(told.file.name)) > best:
            found.remarks.append(_SIBLING.format(told.file.name, first.file.name))
    return [told for told in claims if wanted.rank(content_name(told.file.name)) == best]


def _tell_missing(found: DiscoveredSource, claims: list[FileMatch]) -> None:
    """Which of a renamed corpus's files are there cannot be told, only whether there are enough of them."""
    held = [PurePosixPath(content_name(told.file.name)) for told in claims]
    missing = [pattern for pattern in found.source.complete if not any(path.match(pattern) for path in held)]
    if found.groups and len(missing) > len(found.renamed):
        found.missing.extend(missing)
        if found.renamed:
            left = len(missing) - len(found.renamed)
            found.remarks.append(f"the renamed files are some of {', '.join(missing)}; {left} of these is not there")


def _tell_renamed(found: DiscoveredSource, claims: list[FileMatch]) -> None:
    for how in (How.GARBLED, How.CONTENT, How.SIBLINGS):
        files = [told.file for told in claims if told.how is how]
        if files:
            shown = ", ".join(file.name for file in files[:_NAMED])
            more = f" and {len(files) - _NAMED:,} more" if len(files) > _NAMED else ""
            found.remarks.append(f"{shown}{more}: recognised by {how.value}")
            found.renamed.extend(files)


def _group_single(found: DiscoveredSource, number: int, wanted: Input, claims: list[FileMatch]) -> None:
    """Each file by itself. Beside a file that has the corpus's name, one of its content alone is another version."""
    chosen: list[FileMatch] = []
    look_of = looks([*found.files, *(told.file for told in claims)])
    known: dict[object, list[RawFile]] = {}
    for file in found.files:
        known.setdefault(look_of(file), []).append(file)
    for told in claims:
        others = known.setdefault(look_of(told.file), [])
        same = next((other for other in others if alike(other, told.file)), None)
        others.append(told.file)
        if same is not None:
            found.remarks.append(f"{told.file.name} left alone: the same content as {same.name}")
        elif told.how is How.CONTENT and chosen and not wanted.many and chosen[0].how is not How.CONTENT:
            found.remarks.append(
                f"{told.file.name} left alone: like {chosen[0].file.name}, which has the name of the corpus"
            )
        else:
            chosen.append(told)
            found.groups.append(FileGroup(input=number, files=(told.file,)))
    if len(chosen) > 1 and not wanted.many:
        shown = ", ".join(told.file.name for told in chosen[:_NAMED])
        found.remarks.append(f"{len(chosen)} different files of this corpus, all of which are read: {shown}")


def _tell_same_names(found: DiscoveredSource, claims: list[FileMatch]) -> None:
    """Several files of one name, by as much of its path as the pattern names, are versions of the same file."""
    names: dict[str, list[str]] = {}
    for told in claims:
        wanted = found.source.inputs[told.place[1]]
        if not wanted.many or wanted.format.parts > 1:
            continue
        path = PurePosixPath(content_name(told.file.name).lower())
        pattern = wanted.files[told.place[2]]
        depth = len(PurePosixPath(pattern).parts) if told.how is How.NAME else 0
        if depth and PurePosixPath(pattern).stem != "*":
            names.setdefault(path.name, []).append(told.file.name)
        elif depth:
            names.setdefault("/".join(path.parts[-depth:]), []).append(told.file.name)
    for same in names.values():
        if len(same) > 1:
            shown = ", ".join(same[:_NAMED])
            found.remarks.append(f"{len(same)} different files of the same name, all of which are read: {shown}")


def _unpacked_too(file: RawFile, names: set[str], found: DiscoveredSource) -> bool:
    """Whether a compressed file, or a member of an archive, lies there unpacked as well."""
    if file.member is None:
        beside = {content_name(file.name)} - {file.name}
    else:
        # As `unzip` unpacks it, as a file manager does, into a folder of the archive's name, or without its folders.
        archive = PurePosixPath(file.holder)
        inside = PurePosixPath(file.name).relative_to(archive)
        unpacked = content_name(archive.name).rpartition(".")[0]
        places = (archive.parent / inside, archive.parent / unpacked / inside, archive.parent / inside.name)
        beside = set(map(str, places))
    if not beside & names:
        return False
    found.remarks.append(f"{file.name} left alone: unpacked beside it")
    return True


def _group_parts(found: DiscoveredSource, number: int, wanted: Input, claims: list[FileMatch]) -> None:
    folders: dict[str, dict[int, RawFile]] = {}
    for told in claims:
        parts = folders.setdefault(folder(told.file), {})
        part = told.place[2]
        if part in parts:
            found.remarks.append(f"{told.file.name} left alone: {parts[part].name} is read in its place")
        parts.setdefault(part, told.file)
    complete: dict[str, tuple[RawFile, ...]] = {}
    for place, parts in folders.items():
        lacking = [pattern for part, pattern in enumerate(wanted.files) if part not in parts]
        if lacking:
            found.missing.extend(lacking)
            found.remarks.append(f"{_shown(place)}: {', '.join(lacking)} missing, so the other file cannot be read")
        else:
            complete[place] = tuple(parts[part] for part in sorted(parts))
    named = {told.file for told in claims if told.how in (How.NAME, How.GARBLED)}
    ranks = {place: _rank(wanted, files, named) for place, files in complete.items()}
    best = min(ranks.values(), default=(0, 0))
    read = next((place for place, rank in ranks.items() if rank == best), "")
    for place, files in complete.items():
        same = next((group for group in found.groups if _all_alike(group.files, files)), None)
        if ranks[place] != best:
            for file, release in zip(files, complete[read], strict=True):
                found.remarks.append(_SIBLING.format(file.name, release.name))
        elif same is not None:
            found.remarks.append(f"{_shown(place)} left alone: the same content as {_shown(folder(same.files[0]))}")
        else:
            found.groups.append(FileGroup(input=number, files=files))
    if found.groups:  # what one folder lacks, another has
        found.missing.clear()
    if len(found.groups) > 1:
        shown = ", ".join(_shown(folder(group.files[0])) for group in found.groups)
        found.remarks.append(f"{len(found.groups)} different copies of this corpus, all of which are read: {shown}")


def _rank(wanted: Input, files: tuple[RawFile, ...], named: set[RawFile]) -> tuple[int, int]:
    """How far files are from the release: how many lack its name, and the rank of the others."""
    return sum(file not in named for file in files), max(wanted.rank(content_name(file.name)) for file in files)


def _shown(place: str) -> str:
    return "the raw folder" if place == "." else place


def _all_alike(these: tuple[RawFile, ...], those: tuple[RawFile, ...]) -> bool:
    return len(these) == len(those) and all(alike(one, other) for one, other in zip(these, those, strict=True))
