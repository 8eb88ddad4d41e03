"""Excerpts of texts: short, on one line, with nothing hidden, and around what a change made different."""

from __future__ import annotations

import unicodedata
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.page import excerpts
from chat_corpus.page.excerpts import cut, cut_frequent
from tests.conftest import examples, slow_from

PLAIN = st.text("在吗好！ab ", max_size=40)
ANY = st.text("在a \n\t\x1b\u202eא\u200b\U000e0100", max_size=40)
LIMITS = st.integers(10, 60)


@settings(max_examples=examples(40))
@given(ANY, LIMITS)
def test_a_cut_text_fits_and_shows_what_hides(text: str, limit: int) -> None:
    shown = cut(text, limit)
    assert len(shown) <= limit
    assert shown.isprintable()
    assert not {unicodedata.bidirectional(one) for one in shown} & {"R", "AL", "RLO"}


@settings(max_examples=examples(40))
@given(PLAIN, LIMITS)
def test_a_plain_text_is_whole_or_its_beginning(text: str, limit: int) -> None:
    shown = cut(text, limit)
    assert shown == text if len(text) <= limit else shown == f"{text[: limit - 1]}…"
    assert cut_frequent(text, limit) == cut(text, min(limit, 40))


@settings(max_examples=examples(40))
@given(PLAIN, PLAIN, PLAIN, PLAIN)
def test_what_differs_is_marked_and_what_is_equal_is_around_it(head: str, old: str, new: str, tail: str) -> None:
    before, after = head + old + tail, head + new + tail
    first, second = excerpts.excerpts(before, after, 1000)
    assert (str(first), str(second)) == (before, after)
    assert (first.head, first.tail) == (second.head, second.tail)
    if before == after:
        assert first.part == second.part == ""
    else:
        assert first.part != second.part
        assert first.part[:1] != second.part[:1] or not first.part or not second.part
        assert first.part[-1:] != second.part[-1:] or not first.part or not second.part


@settings(max_examples=examples(40))
@given(ANY, ANY, ANY, LIMITS)
def test_a_long_text_is_cut_around_the_difference(head: str, old: str, tail: str, limit: int) -> None:
    for one in excerpts.excerpts(head + old + tail, head + tail, limit):
        assert len(str(one)) <= limit
        assert str(one).isprintable()


def test_a_change_far_behind_the_beginning_is_shown() -> None:
    first, second = excerpts.excerpts("前" * 500 + "後來" + "尾" * 500, "前" * 500 + "后来" + "尾" * 500, 50)
    assert (first.part, second.part) == ("後來", "后来")
    assert first.head.startswith("…")
    assert first.tail.endswith("…")


def material(pairs: int, text: str) -> Any:
    """What `text_limit` looks at of a page with so many pairs of a text."""
    pair = SimpleNamespace(query=text, answer=text)
    return SimpleNamespace(samples={"a": SimpleNamespace(pairs=[pair] * pairs, rejects=[])}, cleaning=None, full=None)


@pytest.mark.parametrize(("pairs", "expected"), slow_from(2, [(1, 200), (200, 100), (700, 20)]))
def test_the_more_texts_a_page_has_the_shorter_they_are(pairs: int, expected: int) -> None:
    """The page of any corpus can be opened: its texts have at most so many bytes."""
    long = "长" * 1000
    limit = excerpts.text_limit(cast("Any", material(pairs, long)))
    assert limit == expected
    if limit > excerpts._LIMITS[-1]:
        assert 2 * pairs * len(cut(long, limit).encode()) <= excerpts._BYTES
        above = excerpts._LIMITS[excerpts._LIMITS.index(limit) - 1]
        assert limit == excerpts.LONGEST or 2 * pairs * len(cut(long, above).encode()) > excerpts._BYTES


def test_a_text_counts_as_long_as_the_page_writes_it() -> None:
    assert excerpts.text_limit(cast("Any", material(100, "<" * 1000))) < excerpts.text_limit(
        cast("Any", material(100, "x" * 1000))
    )


def test_a_page_without_texts_has_the_longest_limit() -> None:
    assert excerpts.frequent_limit(None) == excerpts.LONGEST
