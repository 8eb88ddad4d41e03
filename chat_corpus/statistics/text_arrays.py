r"""Counts what many texts hold, with NumPy. What stages have counted is not counted again.

Only the few texts that may hold a mark, or the two characters `\n`, are searched.
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
#: Characters that a TSV file has as a blank.
_BLANKS = [ord(character) for character in _BLANK_BREAKS]
_REWRITTEN = [_RETURN, _BACKSLASH, *_BLANKS]
_SEARCHED = rf"{marks.CANDIDATE}|\\n|\r\n|[{_BLANK_BREAKS}]"


def count_many(texts: pl.Series, kept: pl.Series, decoded: Decoded) -> tuple[pl.DataFrame, pl.Series]:
    """Return what `texts.count_texts` does; none of the texts that are `kept` is null."""
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
    """How often each character occurs in the texts that are `kept`, by its code point, and the length of each."""
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
    r"""The characters of texts as a TSV file has them, by the counts of those that the texts have: by code point.

    The two characters `\n`, of which there are `line_breaks`, count as one line break, and so do the `returns` which
    are followed by a line feed; other line breaks and tabs are blanks.
    """
    written = counts.copy()
    written[_LINE_END] += written[_RETURN] - returns + line_breaks
    written[_RETURN] = 0
    written[[_BACKSLASH, _N]] -= line_breaks
    written[0x20] += written[_BLANKS].sum()
    written[_BLANKS] = 0
    return written
