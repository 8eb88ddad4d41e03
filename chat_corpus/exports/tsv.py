r"""The TSV format: ``query TAB answer``, UTF-8, ``\n`` line ends, no header, no quoting.

A line break inside a turn is written as the two characters ``\n``, and a tab as a blank, so each pair is one line with
two columns. Backslashes in the text are not escaped.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import polars as pl

from chat_corpus.row_masks import apply_where, holds_any, matches

#: The two characters that replace a line break inside a text.
LINE_BREAK = r"\n"
#: Characters that are replaced, because tools read them as a line break or the end of a column. The text steps leave
#: only line breaks in a text, but they can be switched off.
BREAKS = "\t\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"
#: Their replacements. Where several keys match, the first one applies, so that \r\n is one line break.
_WRITTEN = {"\r\n": LINE_BREAK, **dict.fromkeys(BREAKS, " "), "\r": LINE_BREAK, "\n": LINE_BREAK}


def encode(pairs: pl.DataFrame) -> bytes:
    """Return the TSV lines of a frame with the columns `query` and `answer`."""
    return joined(columns(pairs))


def columns(pairs: pl.DataFrame, breaks: Mapping[str, pl.Series] | None = None) -> pl.DataFrame:
    """Return `query` and `answer` of each pair as they are written, without line breaks and tabs.

    `breaks` has, by column, a mask of the rows that hold one of `BREAKS`; columns without such rows may be missing.
    Without `breaks`, all texts are searched.
    """
    if breaks is None:
        return pairs.select(_one_line(pairs[name]) for name in ("query", "answer"))
    rows = pairs[["query", "answer"]]
    return rows.with_columns(apply_where(rows[name], mask, _joined) for name, mask in breaks.items())


def texts(rows: pl.DataFrame) -> pl.DataFrame:
    r"""Return rows of `columns` with each `\n` replaced by a line break."""
    return rows.select(pl.all().str.replace_all(LINE_BREAK, "\n", literal=True))


def rewritten(texts: pl.Series) -> pl.Series:
    r"""Return texts as they are after writing and reading: with the replacements of `BREAKS`, and `\n` as line break.

    >>> rewritten(pl.Series(["a\r\nb", r"a\nb", "a\tb"])).to_list()
    ['a\nb', 'a\nb', 'a b']
    """
    return _one_line(texts).str.replace_all(LINE_BREAK, "\n", literal=True)


def joined(rows: pl.DataFrame) -> bytes:
    """Return the bytes of a file with rows from `columns`."""
    out = io.BytesIO()
    rows.write_csv(out, separator="\t", include_header=False, quote_style="never", null_value="")
    return out.getvalue()


def byte_offsets(rows: pl.DataFrame) -> pl.Series:
    """Return the byte offset (Int64) of each row of `columns` in the file."""
    ends = rows.select(pl.sum_horizontal(pl.all().str.len_bytes().cast(pl.Int64) + 1).cum_sum()).to_series()
    return ends.shift(1, fill_value=0)


def _one_line(texts: pl.Series) -> pl.Series:
    return apply_where(texts, matches(texts, f"[{BREAKS}]"), _joined) if holds_any(texts, BREAKS) else texts


def _joined(texts: pl.Series) -> pl.Series:
    # One search for all characters, without a regular expression: Polars caches only 32 compiled ones per thread.
    return texts.str.replace_many(_WRITTEN, leftmost=True)
