r"""Count lengths, characters and marks of many texts with NumPy, using the counts that stages made before.

Only the few texts that may hold a mark, the two characters `\n`, or a character that a TSV file replaces are searched.
"""

from __future__ import annotations

import polars as pl

from chat_corpus.exports import tsv
from chat_corpus.pipeline.code_points import Positions
from chat_corpus.pipeline.counted_texts import Characters, Lengths, counted
from chat_corpus.pipeline.decoded import MARKS, Decoded
from chat_corpus.row_masks import matches
from chat_corpus.statistics import marks
from chat_corpus.statistics.tally import CHARACTERS, tally_of_counts, tally_of_names

_LINE_END, _RETURN, _BACKSLASH, _N = map(ord, "\n\r\\n")
_BLANK_BREAKS = tsv.BREAKS.translate({_LINE_END: None, _RETURN: None})
#: Characters that are written to a TSV file as a blank.
_BLANKS = [ord(character) for character in _BLANK_BREAKS]
_REWRITTEN = [_RETURN, _BACKSLASH, *_BLANKS]
_SEARCHED = rf"{marks.CANDIDATE}|\\n|\r\n|[{_BLANK_BREAKS}]"


def count_many(texts: pl.Series, kept: pl.Series, decoded: Decoded) -> tuple[pl.DataFrame, pl.Series]:
    """Return the result of `texts.count_texts`. No text in the mask `kept` is null."""
    counts, lengths = _characters(texts, kept, decoded)
    marked = (matches(texts, f"[{MARKS}]") if decoded.marked is None else decoded.marked) & kept
    some = texts.filter(marked)
    searched = matches(some, _SEARCHED)
    found = some.filter(searched)
    if counts[_REWRITTEN].any():
        breaks, returns = (found.str.count_matches(mark, literal=True) for mark in (tsv.LINE_BREAK, "\r\n"))
        lengths[marked.arg_true().filter(searched).to_numpy()] -= (breaks + returns).to_numpy()
        found = tsv.rewritten(found) if breaks.sum() or counts[_BLANKS].any() else found
        counts = as_written(counts, int(breaks.sum()), int(returns.sum()))
    tally = pl.concat([tally_of_counts(CHARACTERS, counts), tally_of_names(marks.count_marks(found.to_list()))])
    return tally, pl.Series(lengths)


def _characters(texts: pl.Series, kept: pl.Series, decoded: Decoded) -> tuple[Positions, Lengths]:
    """Return the number of occurrences of each character, by code point, and the length of each text.

    Texts outside of the mask `kept` count as empty.
    """
    rejected = texts.filter(~kept)
    if decoded.texts is None or 2 * len(rejected) > len(texts):
        return counted(texts.filter(kept)).counts, texts.str.len_chars().fill_null(0).to_numpy() * kept.to_numpy()
    characters, lengths = Characters(), decoded.texts.lengths.copy()
    characters.add_all(decoded.texts.characters)
    if len(rejected):
        characters.add_all(counted(rejected.drop_nulls()), sign=-1)
        lengths[(~kept).arg_true().to_numpy()] = 0
    return characters.counts, lengths


def as_written(counts: Positions, line_breaks: int, returns: int) -> Positions:
    r"""Return the counts of the characters of texts as a TSV file has them, by code point.

    `counts` are those of the texts as they are. `line_breaks` is the number of the two characters `\n`, which count as
    one line break. `returns` is the number of carriage returns before a line feed; both count as one line break. Other
    carriage returns are line breaks; tabs and other breaks are blanks.
    """
    written = counts.copy()
    written[_LINE_END] += written[_RETURN] - returns + line_breaks
    written[_RETURN] = 0
    written[[_BACKSLASH, _N]] -= line_breaks
    written[0x20] += written[_BLANKS].sum()
    written[_BLANKS] = 0
    return written
