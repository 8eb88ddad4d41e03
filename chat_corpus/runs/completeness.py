"""Check whether enough of a source was read: the share of unreadable records in each file.

Records that a reader rejected as `encoding`, `fields` or `layout` are unreadable. The share is their number divided by
the number of records that should hold turns, used or rejected, within `--limit`. Headers and other non-turns do not
count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from chat_corpus.messages import Message, constant, count_noun, joined, message
from chat_corpus.pipeline.counts import Counts, Example, FileCounts
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.runs.cutting import FileSummary
from chat_corpus.schema import Pairing, Reason
from chat_corpus.sources import definitions
from chat_corpus.sources.base import Source
from chat_corpus.terms import reason_counts, stored_text

#: The names of all files of a source; files that are read together are in one sequence.
Groups = Sequence[Sequence[str]]
#: The beginning of the first unreadable record of each file. Messages quote it, report.json does not.
Quotes = Mapping[str, str]
_UNQUOTED: Quotes = {}
#: From this share of unreadable records on, a file is probably from a different corpus, or in a different layout or
#: encoding.
MOST = 0.5
#: Reasons of records and turns that are faults of a file. All other reasons come from settings.
_FAULTS = frozenset(
    (
        Reason.ENCODING,
        Reason.LAYOUT,
        Reason.FIELDS,
        Reason.EMPTY,
        Reason.NO_ANSWER,
        Reason.NEGATIVE,
        Reason.UNPAIRED,
        Reason.DAMAGED,
    )
)
#: From this share on, the user is warned.
MANY = 0.1
#: A message names at most this many fields, and shows at most this many characters of each name.
_MOST_FIELDS = 6
_LONGEST = 40


def failures(groups: Groups, counts: Mapping[str, FileCounts], quotes: Quotes = _UNQUOTED) -> Iterator[Message]:
    """Yield a message for each group of files that makes its source fail.

    Such a group has no records, or a share of unreadable records of at least `MOST`.
    """
    for names, file in _grouped(groups, counts):
        if not file.records:
            yield message("{files}: no records, or only lines that hold no turn", files=joined(" + ", names))
        elif file.share >= MOST:
            yield described(names, counts, quotes)


def cautions(groups: Groups, counts: Mapping[str, FileCounts], quotes: Quotes = _UNQUOTED) -> Iterator[Message]:
    """Yield a message for each group of files with a share of unreadable records from `MANY` to below `MOST`."""
    for names, file in _grouped(groups, counts):
        if file.records and MANY <= file.share < MOST:
            yield described(names, counts, quotes)


def passed_over(counts: Mapping[str, FileCounts]) -> Iterator[Message]:
    """Yield a message for each file that has text in fields that are not read.

    >>> from collections import Counter
    >>> file = FileCounts.zero()
    >>> file.unread_fields = Counter(note=9, memo=1)
    >>> next(passed_over({"a.json": file}))
    "a.json: text in these fields is not read: 'note' (9 records), 'memo' (1 record)"
    """
    for name, file in counts.items():
        if file.unread_fields:
            most = file.unread_fields.most_common(_MOST_FIELDS)
            fields = joined(
                ", ",
                [
                    message("'{field}' ({records})", field=field[:_LONGEST], records=count_noun(number, "record"))
                    for field, number in most
                ],
            )
            if more := len(file.unread_fields) - len(most):
                fields = message("{names} and {number} more", names=fields, number=f"{more:,}")
            yield message("{file}: text in these fields is not read: {fields}", file=name, fields=fields)


def shares(groups: Groups, counts: Mapping[str, FileCounts]) -> dict[str, float]:
    """Return the share of unreadable records by file; files that are read together have the same share."""
    return {name: file.share for names, file in _grouped(groups, counts) for name in names}


def _grouped(groups: Groups, counts: Mapping[str, FileCounts]) -> Iterator[tuple[Sequence[str], FileCounts]]:
    """Yield the names of the files of each group, and their sum of counts.

    Files of a group are counted together: the records of one may be references to those of the other (Egret), so that
    its share alone means nothing.
    """
    for names in groups:
        total = FileCounts.zero()
        for name in names:
            total.add(counts.get(name, FileCounts.zero()))
        yield names, total


def described(names: Sequence[str], counts: Mapping[str, FileCounts], quotes: Quotes = _UNQUOTED) -> Message:
    """Return a message with the unreadable share of files read together, the reasons, and the first example.

    >>> from collections import Counter
    >>> from chat_corpus.pipeline.counts import Example
    >>> example = Example(record=2, reason="fields", message="2 fields expected, 3 met")
    >>> file = FileCounts(used=1, rejected=3, unreadable=Counter(fields=3), example=example, unread_fields=Counter())
    >>> described(["a.csv"], {"a.csv": file}, {"a.csv": "0,在吗,在"})
    'a.csv: 3 of 4 records (75 %) cannot be read: fields 3; the first is a.csv:2, 2 fields expected, 3 met: 0,在吗,在'
    """
    ((_, total),) = _grouped([names], counts)
    values: dict[str, object] = {
        "files": joined(" + ", names),
        "number": total.unreadable.total(),
        "records": count_noun(total.records, "record"),
        "percent": _percent(total.share),
        "reasons": reason_counts(total.unreadable),
    }
    for name in names:
        example = counts[name].example if name in counts else None
        if example is not None:
            return message(
                "{files}: {number:,} of {records} ({percent}) cannot be read: {reasons}; "
                "the first is {file}:{record}, {fault}",
                **values,
                file=name,
                record=example.record,
                fault=_quoted(example, quotes.get(name)),
            )
    return message("{files}: {number:,} of {records} ({percent}) cannot be read: {reasons}", **values)


def _quoted(example: Example, quote: str | None) -> str:
    fault = stored_text(example.message)
    return message("{fault}: {quote}", fault=fault, quote=quote) if quote else fault


def _percent(share: float) -> Message:
    """Return a share as a percentage, rounded down, so that a share below one half is never shown as 50 %."""
    return message("{share:g} %", share=int(share * 1000) / 10)


def advice(source: Source, groups: Groups, counts: Mapping[str, FileCounts], facts: Sequence[FileSummary]) -> Message:
    """Return a message with what the user can do about files that cannot be read."""
    failing = [(names, file) for names, file in _grouped(groups, counts) if file.share >= MOST]
    undecoded = {
        name for names, file in failing if file.unreadable[Reason.ENCODING] * 2 >= file.records > 0 for name in names
    }
    if not undecoded and isinstance(source, definitions.AddedSource):
        return definitions.advice(source)
    if not undecoded:
        return message(
            "download the original release, or remove the file if it is not of {source}; {advice}",
            source=source.name,
            advice=constant(source.obtain),
        )
    encodings = [
        message("{file} was read as {encoding}", file=fact.file.name, encoding=fact.file.encoding)
        for fact in facts
        if fact.file.name in undecoded
    ]
    if isinstance(source, definitions.AddedSource):
        return message(
            "{encodings}; set the right encoding with --encoding {source}=NAME",
            encodings=joined("; ", encodings),
            source=source.name,
        )
    return message(
        "{encodings}; set the right encoding with --encoding {source}=NAME, or download the file again",
        encodings=joined("; ", encodings),
        source=source.name,
    )


def barren(source: Source, settings: SourceSettings, counts: Counts) -> str:
    """Return why a source with readable files gave no output; empty if it gave some.

    Output is a pair, or a usable turn if the source is read without pairs.
    """
    pairs = settings.pairs.pairing(source.pairing) is not Pairing.NONE
    if counts.pairs.written if pairs else counts.turns.kept:
        return ""
    values: dict[str, object] = {
        "records": count_noun(counts.records.read, "record"),
        "turns": count_noun(counts.turns.kept, "turn"),
        "cause": _cause(counts),
        "hint": _hint(settings, counts),
    }
    if pairs:
        return message("{records}, {turns}, but no pair ({cause}); {hint}", **values)
    return message("{records}, but no usable turn ({cause}); {hint}", **values)


def _hint(settings: SourceSettings, counts: Counts) -> Message:
    if is_wanted(counts):
        return message("check the filters")
    return message("check the files or raise --limit") if settings.read.limit else message("check the files")


def _cause(counts: Counts) -> Message:
    rejected = counts.turns.rejected or counts.pairs.rejected
    if not rejected:
        return message("no turn has an answer")
    return message("rejected: {reasons}", reasons=reason_counts(rejected))


def is_wanted(counts: Counts) -> bool:
    """Return whether the user's settings may be the reason why a source gave no output, so that it has not failed."""
    rejected = counts.turns.rejected | counts.pairs.rejected
    return any(number and reason not in _FAULTS for reason, number in rejected.items())
