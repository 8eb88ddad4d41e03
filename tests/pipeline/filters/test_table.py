"""Which turns are rejected, and the message about each."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from chat_corpus.formats.base import turns_frame
from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.pipeline.filters.options import FilterOptions
from chat_corpus.pipeline.filters.table import Filter, active_filters, apply_filters, evaluate_filters
from chat_corpus.pipeline.text.normalizer import normalize_and_flag
from chat_corpus.pipeline.text.options import TextOptions
from chat_corpus.schema import Reason
from chat_corpus.sources.base import Source

SOURCE = Source(name="某源", title="", url="", licence="", obtain="", inputs=())
PTT = replace(SOURCE, no_answer=frozenset({"沒有資料"}))
LOST = "\N{REPLACEMENT CHARACTER}"


def turns(texts: list[str | None], source: Source, turn: int = 1) -> pl.DataFrame:
    """Texts as the stages before hand them to the filters; null is a turn that was rejected at reading."""
    clean = normalize_and_flag(pl.Series("text", texts, dtype=pl.String), TextOptions(), source.traits)
    rows = turns_frame(clean.select("text", record=pl.int_range(pl.len()), turn_index=pl.lit(turn)))
    return rows.with_columns(
        raw=pl.Series(texts, dtype=pl.String),
        reason=pl.when(pl.col("text").is_null()).then(pl.lit("encoding")),
        message=pl.when(pl.col("text").is_null()).then(pl.lit("old")),
    )


def reasons(
    texts: list[str | None], options: FilterOptions | None = None, source: Source = SOURCE, turn: int = 1
) -> list[str | None]:
    rows = turns(texts, source, turn)
    checked = apply_filters(rows, options or FilterOptions(), source)
    assert checked.drop("reason", "message").equals(rows.drop("reason", "message"))
    rejected = checked.select("reason", "message").rows()
    assert all((reason is None) == (message is None) for reason, message in rejected)
    assert all(message == "old" for reason, message in rejected if reason == "encoding")
    return [reason for reason, _ in rejected]


def test_what_is_left_of_a_turn_must_be_something() -> None:
    assert reasons(["", "好", None]) == [Reason.EMPTY, None, "encoding"]


def test_a_turn_without_fault_is_kept() -> None:
    assert reasons(["好", "沒有資料", "\N{CJK UNIFIED IDEOGRAPH-20000}"]) == [None, None, None]


@pytest.mark.parametrize(("share", "kept"), [(0.5, True), (0.49, False), (0.0, False), (1.0, True)])
def test_a_turn_with_too_many_lost_characters_is_damaged(share: float, kept: bool) -> None:
    rejected = reasons([f"好{LOST}", "好"], FilterOptions(max_damaged=share))
    assert rejected == [None if kept else Reason.DAMAGED, None]


@pytest.mark.parametrize(
    ("text", "kept"), [("一", False), ("一二", True), ("一二三", True), ("一二三四", False), ("😀😀", True)]
)
def test_length_is_counted_in_characters(text: str, kept: bool) -> None:
    assert reasons([text], FilterOptions(min_chars=2, max_chars=3)) == [None if kept else Reason.LENGTH]


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
    assert reasons([LOST, ""], FilterOptions(min_chars=5), PTT) == [Reason.DAMAGED, Reason.EMPTY]


CASES: list[str | None] = ["", "好", "好的", "一二三四五六", None, LOST, f"好{LOST}", f"好的{LOST}呀", " "]
CASES += ["沒有資料", "沒有資料嗎", "  沒有資料\u3000", "\u200b", "<b></b>", "a", "abc def", "\ue000", "😀"]
CASES += [f"一二三四五六{LOST}七八九"]
OPTIONS = [
    FilterOptions(max_damaged=share, min_chars=least, max_chars=most)
    for share in (0.0, 0.25, 1.0)
    for least in (1, 2)
    for most in (0, 4)
]


@pytest.mark.parametrize("turn", [0, 1])
@pytest.mark.parametrize("source", [SOURCE, PTT], ids=["no word", "a word for no answer"])
def test_what_rejects_a_turn_is_what_explains_it(source: Source, turn: int) -> None:
    rows = turns(CASES, source, turn)
    for options in OPTIONS:
        checked, evaluated = apply_filters(rows, options, source), evaluate_filters(rows, options, source)
        names = {rule.name: str(rule.reason) for rule in active_filters(options, source)}
        assert evaluated.columns == list(names)
        for row, found in zip(checked.iter_rows(named=True), evaluated.iter_rows(named=True), strict=True):
            first = next((name for name, message in found.items() if message is not None), None)
            if row["reason"] == "encoding":
                continue
            assert row["reason"] == (None if first is None else names[first])
            assert row["message"] == (None if first is None else found[first])


def test_a_rule_that_is_added_to_the_table_is_asked_of_every_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the rows that it is about, it is active_filters of plain ones too."""
    added = Filter(
        name="good", reason=Reason.LENGTH, rejects=lambda _options, _source: pl.col("text") == "好", message=pl.lit("!")
    )
    monkeypatch.setattr(filter_table, "FILTERS", (*filter_table.FILTERS, added))
    rows = turns(CASES, SOURCE)
    assert apply_filters(rows, FilterOptions(), SOURCE)["message"].to_list().count("!") == 1
    assert evaluate_filters(rows, FilterOptions(), SOURCE)["good"].to_list().count("!") == 1


ADDED = {
    "a line": (pl.col("record") > 3, pl.lit("!")),
    "a dialogue": (pl.col("dialogue_id").is_null(), pl.format("turn {}", "turn_index")),
    "a part": (pl.col("file_index") == 0, pl.lit("!")),
    "the text as it was read": (pl.col("raw") == "好", pl.col("raw")),
    "nothing to say": (pl.col("text") == "好", pl.lit(None, dtype=pl.String)),
}


@pytest.mark.parametrize("name", ADDED)
def test_a_rule_may_ask_of_any_column_and_its_verdict_is_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rejects, message = ADDED[name]
    added = Filter(name="added", reason=Reason.LENGTH, rejects=lambda _options, _source: rejects, message=message)
    monkeypatch.setattr(filter_table, "FILTERS", (added, *filter_table.FILTERS))
    rows = turns(CASES, SOURCE)
    checked, evaluated = apply_filters(rows, FilterOptions(), SOURCE), evaluate_filters(rows, FilterOptions(), SOURCE)
    mine = evaluated["added"].is_not_null() & rows["reason"].is_null()
    assert mine.any()
    assert checked.filter(mine)["message"].equals(evaluated.filter(mine)["added"].alias("message"))
    assert checked.filter(mine)["reason"].unique().to_list() == ["length"]


@pytest.mark.parametrize("rule", [rule for rule in filter_table.FILTERS if rule.candidates], ids=lambda rule: rule.name)
def test_the_candidates_of_a_rule_hold_all_that_it_rejects(rule: Filter) -> None:
    for source in (SOURCE, PTT):
        for options in OPTIONS:
            if rule.applies(options, source) and rule.candidates is not None:
                rows = turns(CASES, source).filter(pl.col("text").is_not_null())
                both = rows.select(bad=rule.rejects(options, source), known=rule.candidates(rows, source))
                assert both.filter(pl.col("bad") & ~pl.col("known")).is_empty()
