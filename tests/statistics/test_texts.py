"""What is counted of texts: the same in plain Python, with NumPy, and for turns that are in several pairs."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat_corpus.exports import tsv
from chat_corpus.pipeline import character_scan, code_points
from chat_corpus.pipeline.filters import personal
from chat_corpus.statistics import text_arrays
from chat_corpus.statistics.characters import CharacterClass, class_of
from chat_corpus.statistics.seen_turns import SeenTurns, tally_of_seen
from chat_corpus.statistics.summary import summarize
from chat_corpus.statistics.texts import tally_of_linked, tally_of_pairs
from tests.conftest import examples
from tests.statistics.definitions import check_texts

#: Pieces of texts that hold what is counted, or nearly do.
PIECES = (
    *("好", "不", "\N{CJK UNIFIED IDEOGRAPH-20000}", "カ", "한", "é", "\N{GRINNING FACE}", "\ufdd0"),
    *(" ", "\n", r"\n", "\\", "n", "2012", "13812345678", "138-1234-5678", "138 12345678", "110105 19491231 002X"),
    *("加我QQ：123456789", "企鹅12345", "微信号：abcdef_1", "wx: abcdef12", "v.信 abcdef12", "WeChat：abcdef_1"),
    *("we-chat abcdef_1", "weixin：abcdef_1", "a@b.example", "a＠b.example"),
    *("http://a.example", "HTTPS://b", "www.c.example", "wwww", "://"),
    *("<s>", "<|im_end|>", "<｜x｜>", "[INST]", "[好]", "<", "["),
)
ANY = st.integers(0, 0x10FFFF).filter(lambda code: not 0xD800 <= code < 0xE000).map(chr)
TEXTS = st.lists(st.sampled_from(PIECES) | ANY, min_size=1, max_size=6).map("".join)
QUIET = [HealthCheck.too_slow]


@settings(max_examples=examples(10), deadline=None, suppress_health_check=QUIET)
@given(pairs=st.lists(st.tuples(TEXTS, TEXTS), max_size=12), piece=st.sampled_from([1, 40, 1 << 20]))
def test_texts_are_counted_as_defined_with_and_without_numpy(pairs: list[tuple[str, str]], piece: int) -> None:
    columns = tsv.columns(pl.DataFrame(pairs, schema={"query": pl.String, "answer": pl.String}, orient="row"))
    written = [(query, answer) for query, answer in tsv.texts(columns).iter_rows()]
    for much in (1 << 30, -1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(character_scan, "MUCH", much)
            patch.setattr(character_scan, "LITTLE", much)
            patch.setattr(text_arrays, "_PIECE", piece)
            check_texts(summarize(tally_of_pairs(tsv.joined(columns))), written)


@settings(max_examples=examples(10), deadline=None, suppress_health_check=QUIET)
@given(turns=st.lists(TEXTS, min_size=1, max_size=8), data=st.data())
def test_a_turn_in_several_pairs_counts_in_each(turns: list[str], data: st.DataObject) -> None:
    places = st.integers(0, len(turns) - 1)
    links = data.draw(st.lists(st.tuples(places, places), min_size=1, max_size=20))
    frame = pl.DataFrame(links, schema={"query_at": pl.UInt32, "answer_at": pl.UInt32}, orient="row")
    texts = pl.DataFrame({"query": [turns[at] for at, _ in links], "answer": [turns[at] for _, at in links]})
    columns = tsv.columns(texts)
    found = summarize(tally_of_linked(columns, frame, len(turns)))
    assert found == summarize(tally_of_pairs(tsv.joined(columns)))


def test_no_text_with_personal_data_is_passed_over() -> None:
    """The looks of NumPy find all that the detectors of `personal` know; new kinds need new looks."""
    assert set(personal.Personal) == {"phone", "qq", "wechat", "email", "id"}
    texts = [piece for piece in PIECES if personal.mask(pl.Series([piece]))[1]]
    assert len(texts) > 10
    counts = text_arrays.count_many(("\n".join(texts) + "\n").encode()).tally
    found = counts.filter(pl.col("name").str.starts_with("personal."))["count"].sum()
    assert found == personal.mask(pl.Series(texts))[1].total()


@pytest.mark.parametrize(
    ("name", "characters"),
    [
        ("han", "好々〇㐀\uf900\N{CJK UNIFIED IDEOGRAPH-20000}"),
        ("latin", "aZéßＡ"),
        ("digits", "07９"),
        ("kana", "あカーｱ"),
        ("hangul", "한ㄱ"),
        ("punctuation", "，。!・￥×★"),
        ("emoji", "\N{GRINNING FACE}❤☺⭐"),
        ("blanks", " \n\t\u3000\xa0"),
        ("other", "яع\u200d\ufe0f\ufffd\x00"),
    ],
)
def test_a_character_has_one_class(name: str, characters: str) -> None:
    assert {character: str(class_of(character)) for character in characters} == dict.fromkeys(characters, name)
    assert name in set(CharacterClass)


@settings(max_examples=examples(15), deadline=None, suppress_health_check=QUIET)
@given(turns=st.lists(st.tuples(TEXTS, st.none() | TEXTS), min_size=1, max_size=8), data=st.data())
def test_turns_that_the_scan_has_seen_are_counted_as_they_are_written(
    turns: list[tuple[str, str | None]], data: st.DataObject
) -> None:
    """Some of them changed after the scan, some are in no pair, others in several."""
    before = pl.Series("text", [text for text, _ in turns])
    after = pl.Series("text", [text if changed is None else changed for text, changed in turns])
    seen = SeenTurns()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(code_points, "_PIECE", data.draw(st.sampled_from([1, 1 << 19])))
        patch.setattr(character_scan, "LITTLE", -1)
        patch.setattr(character_scan, "MUCH", -1)
        character_scan.CharacterScan({}).find(before, seen)
    assert seen.rows == len(turns)
    places = st.integers(0, len(turns) - 1)
    links = data.draw(st.lists(st.tuples(places, places), min_size=1, max_size=20))
    frame = pl.DataFrame(links, schema={"query_at": pl.UInt32, "answer_at": pl.UInt32}, orient="row")
    columns = tsv.columns(
        pl.DataFrame({"query": after.gather(frame["query_at"]), "answer": after.gather(frame["answer_at"])})
    )
    found = summarize(tally_of_seen(seen, after, columns, frame))
    assert found == summarize(tally_of_pairs(tsv.joined(columns)))
