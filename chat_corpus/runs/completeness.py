"""Whether what was read of a source is enough to call it done: the share of each file's records that nobody could read.

Records that a reader rejected as `encoding`, `fields` or `layout` are unreadable. Their share is taken of the records
that should have held turns, used and rejected ones, within `--limit`; records that hold no turn by nature do not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from chat_corpus.messages import count_noun
from chat_corpus.pipeline.counts import Counts, Example, FileCounts
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.runs.cutting import FileSummary
from chat_corpus.schema import Pairing, Reason
from chat_corpus.sources.base import Source

#: The names of all files of a source, those that are read together in one sequence.
Groups = Sequence[Sequence[str]]
#: How the example of a file begins, by the file's name. report.json quotes nothing, messages do.
Quotes = Mapping[str, str]
_UNQUOTED: Quotes = {}
#: From this share of unreadable records on a file is not what its name says, or is read in a wrong way.
MOST = 0.5
#: From this share on the user must know.
MANY = 0.1
#: So many fields are named, by so much of their names.
_MOST_FIELDS = 6
_LONGEST = 40


def failures(groups: Groups, counts: Mapping[str, FileCounts], quotes: Quotes = _UNQUOTED) -> Iterator[str]:
    """A sentence for each group of files that makes its source fail."""
    for names, file in _grouped(groups, counts):
        if not file.records:
            yield f"{' and '.join(names)}: no record in it, or nothing but lines that hold no turn"
        elif file.share >= MOST:
            yield described(names, counts, quotes)


def cautions(groups: Groups, counts: Mapping[str, FileCounts], quotes: Quotes = _UNQUOTED) -> Iterator[str]:
    """A sentence for each group of files of which much, but not most, is unreadable."""
    for names, file in _grouped(groups, counts):
        if file.records and MANY <= file.share < MOST:
            yield described(names, counts, quotes)


def passed_over(counts: Mapping[str, FileCounts]) -> Iterator[str]:
    """A sentence for each file that has text in fields which are not read.

    >>> from collections import Counter
    >>> file = FileCounts.zero()
    >>> file.unread_fields = Counter(note=9, memo=1)
    >>> next(passed_over({"a.json": file}))
    "a.json: there is text that is not read, under 'note' (9 records), 'memo' (1 record)"
    """
    for name, file in counts.items():
        if file.unread_fields:
            most = file.unread_fields.most_common(_MOST_FIELDS)
            told = ", ".join(f"'{field[:_LONGEST]}' ({count_noun(number, 'record')})" for field, number in most)
            more = (
                f" and {len(file.unread_fields) - _MOST_FIELDS:,} more"
                if len(file.unread_fields) > _MOST_FIELDS
                else ""
            )
            yield f"{name}: there is text that is not read, under {told}{more}"


def shares(groups: Groups, counts: Mapping[str, FileCounts]) -> dict[str, float]:
    """The share of unreadable records by file; one figure for files that are read together."""
    return {name: file.share for names, file in _grouped(groups, counts) for name in names}


def _grouped(groups: Groups, counts: Mapping[str, FileCounts]) -> Iterator[tuple[Sequence[str], FileCounts]]:
    """The figures of each group.

    The good records of a file may hold no turn of their own, as Egret's conversations, which are lists of lines of the
    other file. So the share of such a file alone says nothing.
    """
    for names in groups:
        whole = FileCounts.zero()
        for name in names:
            whole.add(counts.get(name, FileCounts.zero()))
        yield names, whole


def described(names: Sequence[str], counts: Mapping[str, FileCounts], quotes: Quotes = _UNQUOTED) -> str:
    """The share of files read together that is unreadable, why, and the first example with its address.

    >>> from collections import Counter
    >>> from chat_corpus.pipeline.counts import Example
    >>> example = Example(record=2, reason="fields", message="2 fields expected, 3 met")
    >>> lost = Counter(fields=3)
    >>> figures = FileCounts(used=1, rejected=3, unreadable=lost, example=example, unread_fields=Counter())
    >>> described(["a.csv"], {"a.csv": figures}, {"a.csv": "0,在吗,在"})
    'a.csv: 3 of 4 records (75 %) cannot be read: fields 3; the first is a.csv:2, 2 fields expected, 3 met: 0,在吗,在'
    """
    ((_, whole),) = _grouped([names], counts)
    why = ", ".join(f"{reason} {number:,}" for reason, number in sorted(whole.unreadable.items()))
    lost = f"{whole.unreadable.total():,} of {count_noun(whole.records, 'record')} ({_percent(whole.share)})"
    examples = ((name, counts[name].example) for name in names if name in counts)
    told = next(
        (f"; the first is {name}:{one.record}, {_shown(one, quotes.get(name))}" for name, one in examples if one), ""
    )
    return f"{' and '.join(names)}: {lost} cannot be read: {why}{told}"


def _shown(example: Example, quote: str | None) -> str:
    return f"{example.message}: {quote}" if quote else example.message


def _percent(share: float) -> str:
    """A share rounded down, so that 49.9 % is never shown as a half."""
    return f"{int(share * 1000) / 10:g} %"


def advice(source: Source, groups: Groups, counts: Mapping[str, FileCounts], facts: Sequence[FileSummary]) -> str:
    """What to do about files that cannot be read."""
    failing = [(names, file) for names, file in _grouped(groups, counts) if file.share >= MOST]
    undecoded = {
        name for names, file in failing if file.unreadable[Reason.ENCODING] * 2 >= file.records > 0 for name in names
    }
    if undecoded:
        read = [f"{fact.file.name} was read as {fact.file.encoding}" for fact in facts if fact.file.name in undecoded]
        told = f"name the right encoding with --encoding {source.name}=NAME, or get the file again"
        return f"{'; '.join(read)}; {told}"
    return f"get the release itself, or move the file away if it is not {source.name}'s; {source.obtain}"


def barren(source: Source, settings: SourceSettings, counts: Counts) -> str:
    """Why a source whose files can be read gave nothing; empty if it gave what it should.

    That is a pair at least, or a turn for a source that has no pairs by nature.
    """
    pairs = settings.pairs.pairing(source.pairing) is not Pairing.NONE
    if counts.pairs.written if pairs else counts.turns.kept:
        return ""
    rejected = counts.turns.rejected or counts.pairs.rejected
    why = ", ".join(f"{reason} {number:,}" for reason, number in sorted(rejected.items()))
    read, kept = count_noun(counts.records.read, "record"), count_noun(counts.turns.kept, "turn")
    made = f"{read}, {kept}, but no {'pair' if pairs else 'turn'}"
    cause = f" (rejected: {why})" if why else ", since no turn has an answer"
    limit = " or raise --limit" if settings.read.limit else ""
    return f"{made}{cause}; look at the files{limit}"


def is_wanted(counts: Counts) -> bool:
    """Whether it may be for the user's own filters that a source gave nothing: that is what they asked for."""
    return bool(counts.turns.rejected[Reason.LENGTH] or counts.pairs.rejected[Reason.LENGTH])
