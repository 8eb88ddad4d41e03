"""Filters that check the text of a single turn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from operator import or_

import polars as pl

from chat_corpus.pipeline.filters import masking, personal
from chat_corpus.pipeline.filters.options import FilterOptions
from chat_corpus.pipeline.filters.personal import Personal
from chat_corpus.row_masks import matches, may_begin_with_blank
from chat_corpus.schema import Reason
from chat_corpus.sources.base import Filter, Source

#: The character that replaces lost characters in published corpora.
LOST = "\N{REPLACEMENT CHARACTER}"
#: `max_repetition` checks texts of at least this many characters, in sequences of this many characters.
REPETITION_CHARS, SEQUENCE = 12, 4

_TEXT = pl.col("text")
_CHARS = _TEXT.str.len_chars()
_DAMAGED = _TEXT.str.count_matches(LOST, literal=True)
_HAN = _TEXT.str.count_matches(r"\p{Han}")
_LETTERS = _TEXT.str.count_matches(r"[\p{L}\p{N}]")
_LETTER = r"[\p{L}\p{N}]"
#: Marks that are an answer by themselves: they ask, exclaim, hesitate or smile. Several full stops are an ellipsis.
_ANSWER = "[?？!！…~～]|[.。·]{2}|\\p{Extended_Pictographic}"
_SOLID = _TEXT.str.replace_all(r"\s+", "")


def _empty(rows: pl.DataFrame, _source: Source) -> pl.Series:
    return rows["text"].str.len_bytes() == 0


def _damaged(rows: pl.DataFrame, _source: Source) -> pl.Series:
    return rows["damaged"] if "damaged" in rows.columns else matches(rows["text"], LOST)


def _may_be_no_answer(rows: pl.DataFrame, source: Source) -> pl.Series:
    """Return a mask of the texts that begin with a text for no answer, or with whitespace: this is fast to check."""
    raw = rows["raw"]
    return reduce(or_, (raw.str.starts_with(text) for text in source.no_answer), may_begin_with_blank(raw))


def _no_answer(source: Source) -> pl.Expr:
    return pl.col("raw").str.strip_chars().is_in(sorted(source.no_answer))


def _without_letters(rows: pl.DataFrame, _source: Source) -> pl.Series:
    return ~matches(rows["text"], _LETTER)


def _one_mark(_options: FilterOptions, _source: Source) -> pl.Expr:
    first = _SOLID.str.slice(0, 1)
    alone = (_SOLID != "") & (_SOLID.str.count_matches(first, literal=True) == _SOLID.str.len_chars())
    return alone & ~_TEXT.str.contains(_LETTER) & ~_TEXT.str.contains(_ANSWER)


def repeated_share(text: str) -> float:
    """Return the share of sequences of `SEQUENCE` characters in a text that repeat an earlier one, from 0 to 1.

    >>> round(repeated_share("我爱你我爱你我爱你我爱你"), 2), repeated_share("今天天气不错，去哪里玩呢")
    (0.67, 0.0)
    """
    sequences = len(text) - SEQUENCE + 1
    return 1 - len({text[at : at + SEQUENCE] for at in range(sequences)}) / sequences if sequences > 0 else 0.0


def _repeated(texts: pl.Series, most: float) -> pl.Series:
    """Return the message for each text with a share of repetitions above `most`; null for the others."""
    return pl.Series([_repetition(text, most) for text in texts], dtype=pl.String)


def _repetition(text: str | None, most: float) -> str | None:
    if text is None or len(text) < REPETITION_CHARS or (share := repeated_share(text)) <= most:
        return None
    return f"{share:.0%} of its sequences of {SEQUENCE} characters are repeated"


def _long(rows: pl.DataFrame, _source: Source) -> pl.Series:
    return rows["text"].str.len_chars() >= REPETITION_CHARS


def _personal(kind: Personal, described: str) -> Filter:
    """Return the filter of turns with personal data of a kind."""

    def rejects(_options: FilterOptions, _source: Source) -> pl.Expr:
        found = _TEXT.map_batches(partial(personal.first_found, kind=kind), return_dtype=pl.String)
        return pl.format(f"{described}: {{}}", found)

    return Filter(
        name=str(kind),
        reason=Reason(kind.value),
        rejects=rejects,
        applies=_drops(kind.value),
        candidates=lambda rows, _source: personal.candidates(rows["text"]),
    )


def _drops(kind: str) -> Callable[[FilterOptions, Source], bool]:
    return lambda options, _source: getattr(options, kind) == "drop"


#: The filters that come first: empty turns, the text that a source has for no answer, and lost characters.
FIRST = (
    Filter(
        name="empty",
        reason=Reason.EMPTY,
        rejects=lambda _options, _source: _TEXT == "",
        message=pl.lit("nothing is left after cleaning"),
        candidates=_empty,
    ),
    Filter(
        name="no_answer",
        reason=Reason.NO_ANSWER,
        rejects=lambda _options, source: _no_answer(source) & (pl.col("turn_index") > 0),
        message=pl.lit("the text that this source has for no answer"),
        applies=lambda _options, source: bool(source.no_answer),
        candidates=_may_be_no_answer,
    ),
    Filter(
        name="max_damaged",
        reason=Reason.DAMAGED,
        rejects=lambda options, _source: _CHARS * options.max_damaged < _DAMAGED,
        message=pl.format("{} of {} characters are lost", _DAMAGED, _CHARS),
        applies=lambda options, _source: options.max_damaged < 1,
        candidates=_damaged,
    ),
)
#: The filters that are off by default.
FURTHER = (
    Filter(
        name="min_chars",
        reason=Reason.LENGTH,
        rejects=lambda options, _source: options.min_chars > _CHARS,
        message=pl.format("{} characters, fewer than min_chars", _CHARS),
        applies=lambda options, _source: options.min_chars > 1,
    ),
    Filter(
        name="max_chars",
        reason=Reason.LENGTH,
        rejects=lambda options, _source: options.max_chars < _CHARS,
        message=pl.format("{} characters, more than max_chars", _CHARS),
        applies=lambda options, _source: options.max_chars > 0,
    ),
    Filter(
        name="min_han",
        reason=Reason.LITTLE_HAN,
        rejects=lambda options, _source: (_LETTERS > 0) & (options.min_han * _LETTERS > _HAN),
        message=pl.format("{} of {} letters and digits are Han", _HAN, _LETTERS),
        applies=lambda options, _source: options.min_han > 0,
    ),
    Filter(
        name="no_marks",
        reason=Reason.MARK,
        rejects=_one_mark,
        message=pl.lit("one mark alone"),
        applies=lambda options, _source: options.no_marks,
        candidates=_without_letters,
    ),
    Filter(
        name="no_symbols",
        reason=Reason.SYMBOLS,
        rejects=lambda _options, _source: (_TEXT != "") & ~_TEXT.str.contains(_LETTER),
        message=pl.lit("no letter and no digit"),
        applies=lambda options, _source: options.no_symbols,
        candidates=_without_letters,
    ),
    Filter(
        name="url",
        reason=Reason.URL,
        rejects=lambda _options, _source: pl.format("a link: {}", _TEXT.str.extract(f"({masking.LINK})", 1)),
        applies=_drops("url"),
        candidates=lambda rows, _source: masking.link_candidates(rows["text"]),
    ),
    _personal(Personal.PHONE, "a mobile number"),
    _personal(Personal.ID, "an identity number"),
    _personal(Personal.QQ, "a QQ number"),
    _personal(Personal.WECHAT, "a WeChat name"),
    _personal(Personal.EMAIL, "an e-mail address"),
    Filter(
        name="max_repetition",
        reason=Reason.REPETITION,
        rejects=lambda options, _source: _TEXT.map_batches(
            partial(_repeated, most=options.max_repetition), return_dtype=pl.String
        ),
        applies=lambda options, _source: options.max_repetition < 1,
        candidates=_long,
    ),
)
