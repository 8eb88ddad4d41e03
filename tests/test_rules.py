"""Which turns are rejected, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from chat_corpus.formats.base import turns_frame
from chat_corpus.rules import RuleOptions, check
from chat_corpus.schema import Reason
from chat_corpus.source import Source
from chat_corpus.text.options import TextOptions
from chat_corpus.text.steps import sift

SOURCE = Source(name="某源", title="", url="", licence="", obtain="", inputs=())
PTT = replace(SOURCE, no_answer=frozenset({"沒有資料"}))
LOST = "\N{REPLACEMENT CHARACTER}"


def reasons(
    texts: list[str | None], options: RuleOptions | None = None, source: Source = SOURCE, turn: int = 1
) -> list[str | None]:
    clean = sift(pl.Series("text", texts, dtype=pl.String), TextOptions(), source.traits)
    rows = turns_frame(clean.select("text", line=pl.int_range(pl.len()), turn=pl.lit(turn)))
    rows = rows.with_columns(
        raw=pl.Series(texts, dtype=pl.String),
        reason=pl.when(pl.col("text").is_null()).then(pl.lit("encoding")),
        detail=pl.when(pl.col("text").is_null()).then(pl.lit("old")),
        notable=clean["notable"],
    )
    checked = check(rows, options or RuleOptions(), source)
    assert checked.drop("reason", "detail").equals(rows.drop("reason", "detail"))
    told = checked.select("reason", "detail").rows()
    assert all((reason is None) == (detail is None) for reason, detail in told)
    assert all(detail == "old" for reason, detail in told if reason == "encoding")
    return [reason for reason, _ in told]


def test_what_is_left_of_a_turn_must_be_something() -> None:
    assert reasons(["", "好", None]) == [Reason.EMPTY, None, "encoding"]


def test_a_turn_without_fault_is_kept() -> None:
    assert reasons(["好", "沒有資料", "\N{CJK UNIFIED IDEOGRAPH-20000}"]) == [None, None, None]


@pytest.mark.parametrize(("share", "kept"), [(0.5, True), (0.49, False), (0.0, False), (1.0, True)])
def test_a_turn_with_too_many_lost_characters_is_damaged(share: float, kept: bool) -> None:
    told = reasons([f"好{LOST}", "好"], RuleOptions(max_damaged=share))
    assert told == [None if kept else Reason.DAMAGED, None]


@pytest.mark.parametrize(
    ("text", "kept"), [("一", False), ("一二", True), ("一二三", True), ("一二三四", False), ("😀😀", True)]
)
def test_length_is_counted_in_characters(text: str, kept: bool) -> None:
    assert reasons([text], RuleOptions(min_chars=2, max_chars=3)) == [None if kept else Reason.LENGTH]


def test_the_word_for_no_answer_is_none_where_it_answers() -> None:
    word = "沒有資料"
    padded: list[str | None] = [
        word,
        f" {word}",
        f"{word} ",
        f"{word}\u3000",
        f"\u2003{word}",
        f"\t{word}\r",
        f"\xa0{word}\n",
    ]
    assert reasons(padded, source=PTT) == [Reason.NO_ANSWER] * len(padded)
    assert reasons([f"{word}嗎"], source=PTT) == [None]
    assert reasons(["沒有資料"], source=PTT, turn=0) == [None]


def test_the_first_reason_stays() -> None:
    assert reasons([LOST, ""], RuleOptions(min_chars=5), PTT) == [Reason.DAMAGED, Reason.EMPTY]
