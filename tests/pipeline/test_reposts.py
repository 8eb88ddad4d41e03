"""Repost chains as dialogues."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.formats.base import turns_frame
from chat_corpus.pipeline.reposts import split_reposts
from tests.conftest import examples


def rows(*dialogues: list[str]) -> pl.DataFrame:
    """Dialogues as a reader gives them, a line each."""
    turns = [
        {"record": line, "dialogue_id": line - 1, "turn_index": turn, "text": text}
        for line, texts in enumerate(dialogues, 1)
        for turn, text in enumerate(texts)
    ]
    return turns_frame(pl.DataFrame(turns))


def test_the_oldest_comment_comes_first_and_the_newest_last() -> None:
    unfolded = split_reposts(rows(["出门 看 海", "真 好 // @小满 : 带 上 我 // @阿禾 : 几点"], ["在吗", "在"]))
    assert unfolded.select("record", "dialogue_id", "turn_index", pl.col("text").str.strip_chars()).rows() == [
        (1, 0, 0, "出门 看 海"),
        (1, 0, 1, "几点"),
        (1, 0, 2, "带 上 我"),
        (1, 0, 3, "真 好"),
        (2, 1, 0, "在吗"),
        (2, 1, 1, "在"),
    ]


def test_a_repost_without_a_word_of_its_own_is_an_empty_turn_and_keeps_its_place() -> None:
    unfolded = split_reposts(rows(["出门", "//@阿禾:几点"]))
    assert unfolded.select("turn_index", "text", "reason").rows() == [
        (0, "出门", None),
        (1, "几点", None),
        (2, "", "empty"),
    ]


def test_rejected_rows_and_links_are_left_as_they_are() -> None:
    read = rows(["看 http://example.com/@a:b", "好"]).with_columns(
        reason=pl.Series(["damaged", None], dtype=pl.String), text=pl.Series(["x//@a:b", "http://@a:b"])
    )
    assert split_reposts(read).equals(read)


@settings(deadline=None, max_examples=examples(30))
@given(
    st.lists(
        st.lists(st.sampled_from(["好", "//@小满:", " // @阿禾 : ", "几点", "http://", "@"]), max_size=6), max_size=4
    )
)
def test_no_word_is_lost_and_every_dialogue_counts_from_zero(texts: list[list[str]]) -> None:
    read = rows(*(["开头", "".join(parts)] for parts in texts)) if texts else rows(["开头", "好"])
    unfolded = split_reposts(read)
    assert sum(read["text"].str.count_matches("好|几点|开头")) == sum(
        unfolded["text"].str.count_matches("好|几点|开头")
    )
    for _, dialogue in unfolded.group_by("dialogue_id"):
        assert dialogue["turn_index"].to_list() == list(range(len(dialogue)))
