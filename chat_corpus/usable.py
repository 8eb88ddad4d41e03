"""Whether what was read of a source is enough to call it done: the share of each file's records that nobody could read.

Records that a reader rejected as `encoding`, `fields` or `layout` are unreadable. Their share is taken of the records
that should have held turns, used and rejected ones, within `--limit`; structural lines do not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from chat_corpus.ledger import Counts, FileCounts
from chat_corpus.plan import FileFacts
from chat_corpus.schema import Pairing, Reason
from chat_corpus.settings import SourceSettings
from chat_corpus.source import Source
from chat_corpus.terminal import counted

#: From this share of unreadable records on a file is not what its name says, or is read in a wrong way.
MOST = 0.5
#: From this share on the user must know.
MANY = 0.1


def failures(groups: Sequence[Sequence[str]], counts: Mapping[str, FileCounts]) -> Iterator[str]:
    """A sentence for each file, by name, that makes its source fail; `groups` are files that are read together."""
    for group in groups:
        files = [counts.get(name, FileCounts()) for name in group]
        if not any(file.used + file.rejected for file in files):
            yield f"{' and '.join(group)}: no record in it, or nothing but lines that hold no turn"
            continue
        for name, file in zip(group, files, strict=True):
            if file.used + file.rejected and file.share >= MOST:
                yield described(name, file)


def cautions(counts: Mapping[str, FileCounts]) -> Iterator[str]:
    """A sentence for each file of which much, but not most, is unreadable."""
    for name, file in counts.items():
        if file.used + file.rejected and MANY <= file.share < MOST:
            yield described(name, file)


def described(name: str, file: FileCounts) -> str:
    """The share of a file that is unreadable, why, and the first example with its address.

    >>> from collections import Counter
    >>> from chat_corpus.ledger import Example
    >>> example = Example(line=2, reason="fields", detail="2 fields expected, 3 met", raw="0,在吗,在")
    >>> described("ptt.csv", FileCounts(used=1, rejected=3, unreadable=Counter(fields=3), example=example))
    'ptt.csv: 3 of 4 records (75 %) cannot be read: fields 3; the first is ptt.csv:2, 2 fields expected, 3 met: 0,在吗,在'
    """
    lost, records = file.unreadable.total(), file.used + file.rejected
    why = ", ".join(f"{reason} {number:,}" for reason, number in sorted(file.unreadable.items()))
    example = ""
    if file.example is not None:
        example = f"; the first is {name}:{file.example.line}, {file.example.detail}: {file.example.raw}"
    return f"{name}: {lost:,} of {counted(records, 'record')} ({_percent(file.share)}) cannot be read: {why}{example}"


def _percent(share: float) -> str:
    """A share rounded down, so that 49.9 % is never shown as a half."""
    return f"{int(share * 1000) / 10:g} %"


def advice(source: Source, counts: Mapping[str, FileCounts], facts: Sequence[FileFacts]) -> str:
    """What to do about files that cannot be read."""
    failing = {name: file for name, file in counts.items() if file.share >= MOST}
    if any(file.unreadable[Reason.ENCODING] * 2 >= file.unreadable.total() > 0 for file in failing.values()):
        read = "; ".join(f"{fact.file.name} was read as {fact.file.encoding}" for fact in facts if fact.file.name in failing)
        return f"{read}; name the right encoding with --encoding {source.name}=NAME, or get the file again"
    return f"get the release itself, or move the file away if it is not {source.name}'s; {source.obtain}"


def barren(source: Source, settings: SourceSettings, counts: Counts) -> str:
    """Why a source whose files can be read is not done all the same; empty if it gave what it should.

    That is a pair at least, or a turn for a source that has no pairs by nature.
    """
    pairs = settings.pairs.pairing(source.pairing) is not Pairing.NONE
    if counts.written if pairs else counts.kept:
        return ""
    rejected = {**counts.turns_rejected, **(counts.pairs_rejected if not counts.turns_rejected else {})}
    why = ", ".join(f"{reason} {number:,}" for reason, number in sorted(rejected.items()))
    made = f"{counted(counts.records, 'record')}, {counted(counts.kept, 'turn')}, but no pair" if pairs else "no turn"
    told = f" (rejected: {why})" if why else "; no turn has an answer"
    return f"{made}{told}; look at the files, at --limit, and at the rules that were set"
