"""Values and stored texts have words in Chinese, and in English they are as they were."""

from __future__ import annotations

import errno
import re

import pytest

from chat_corpus import terms
from chat_corpus.messages import Message, load_catalogue, translated
from chat_corpus.pipeline.script.detect import NAMES
from chat_corpus.schema import Pairing, Reason
from chat_corpus.system_texts import system_text

HAN = re.compile("[\u4e00-\u9fff]")


def chinese(text: str) -> str:
    return str(translated(text, load_catalogue("zh")))


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_shown_with_its_code(reason: Reason) -> None:
    assert str(terms.reason_name(reason)) == reason.value
    assert chinese(terms.reason_name(reason)).endswith(f"（{reason.value}）")
    assert HAN.match(chinese(terms.reason_name(reason))) or reason is Reason.QQ


@pytest.mark.parametrize("pairing", Pairing)
def test_a_pairing_is_shown_with_its_code(pairing: Pairing) -> None:
    assert str(terms.pairing_name(pairing)) == pairing.value
    assert chinese(terms.pairing_name(pairing)).endswith(f"（{pairing.value}）")


@pytest.mark.parametrize("script", NAMES)
def test_a_script_has_a_name(script: str) -> None:
    assert str(terms.script_name(script)) == script
    assert HAN.search(chinese(terms.script_name(script)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a turn without text", "没有文本的轮次"),
        ("7 characters, more than max_chars", "7 个字符，多于 max_chars"),
        ("a link: http://a.cn/\n{x}", "链接：http://a.cn/\n{x}"),
        ("denied by ads.txt:3: 代理: 好", "ads.txt:3 中的禁用词：代理: 好"),
        ("the same pair is at a.csv:4", "相同的问答对位于 a.csv:4"),
        ("7 characters", "7 characters"),
        ("{number} of a plugin", "{number} of a plugin"),
    ],
)
def test_a_stored_text_is_translated_if_it_is_known(text: str, expected: str) -> None:
    assert str(terms.stored_text(text)) == text
    assert chinese(terms.stored_text(text)) == expected


def test_a_message_is_no_stored_text() -> None:
    text = terms.reason_name("layout")
    assert terms.stored_text(text) is text


def test_names_of_plugins_are_unchanged() -> None:
    assert chinese(terms.reason_counts({"spam": 2, "layout": 1000})) == "格式不符（layout）：1,000、spam：2"


def test_the_usual_errors_of_the_system_are_translated() -> None:
    known = system_text(OSError(errno.ENOENT, "No such file or directory", "a.txt"))
    assert (str(known), chinese(known)) == ("No such file or directory", "文件或目录不存在")
    other = system_text(OSError(errno.EPROTO, "Protocol error"))
    assert (other, chinese(other), isinstance(other, Message)) == ("Protocol error", "Protocol error", False)
    assert system_text(OSError("a fault")) == "a fault"
