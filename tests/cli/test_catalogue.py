"""The Chinese catalogue has each text of the program once, with the same values, and nothing else."""

from __future__ import annotations

import json
import re

import pytest

from chat_corpus.cli import language
from tests.cli.messages_in_code import facts, help_texts, names, templates
from tests.conftest import ROOT

FILE = ROOT / "chat_corpus" / "cli" / "catalogues" / "zh.json"
CATALOGUE: dict[str, str] = json.loads(FILE.read_text("utf-8"))
HAN = "[\u4e00-\u9fff]"


def test_no_text_is_missing_and_none_is_superfluous() -> None:
    needed = {**templates(), **dict.fromkeys(help_texts(), "--help"), **dict.fromkeys(facts(), "source")}
    assert {text: place for text, place in needed.items() if text not in CATALOGUE} == {}
    assert sorted(CATALOGUE.keys() - needed) == []


def test_translations_have_the_same_values() -> None:
    assert [text for text, translation in CATALOGUE.items() if names(text) != names(translation)] == []


def test_formats_of_values_can_be_applied() -> None:
    specs = {text: re.findall(r"\{(\w+)(:[^}]*)\}", text) for text in CATALOGUE}
    for text, translation in CATALOGUE.items():
        assert set(re.findall(r"\{(\w+)(:[^}]*)\}", translation)) <= set(specs[text]), text


def test_keys_are_in_order_so_that_additions_merge() -> None:
    assert list(CATALOGUE) == sorted(CATALOGUE)
    assert FILE.read_text("utf-8") == json.dumps(CATALOGUE, ensure_ascii=False, indent=1) + "\n"


@pytest.mark.parametrize(
    ("fault", "pattern"),
    [
        ("a half-width stop after Chinese", f"{HAN}[,;?!]|{HAN}:(?!{HAN})|{HAN}\\.(?!\\w|\\.\\.)"),
        ("a Latin word or number that touches Chinese", f"{HAN}[A-Za-z0-9]|[A-Za-z0-9]{HAN}"),
        ("a blank beside full-width punctuation", r" [，。；：？！、）]|[，。；：？！、（] "),
        ("a word that is not ours", "字体|话轮|拒绝|数据源|文件夹|遮盖|问句|答句|可重复使用|个对话|特殊标记"),
    ],
    ids=lambda value: value if " " in value and "[" not in value else "",
)
def test_chinese_is_set_as_chinese(fault: str, pattern: str) -> None:
    assert {text: fault for text in CATALOGUE.values() if re.search(pattern, text)} == {}


def test_a_message_without_a_translation_stays_english() -> None:
    language.use("zh")
    try:
        assert language.lookup("no such text") == "no such text"
    finally:
        language.use("en")
