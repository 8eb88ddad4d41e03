"""XML with one element per message; entities are not expanded."""

from __future__ import annotations

import pytest

from chat_corpus.formats.xml_messages import xml_messages
from chat_corpus.schema import Pairing, Reason
from tests.formats.laws import read

XML = xml_messages("message", "text")
HEAD = '<?xml version="1.0" encoding="UTF-8"?><corpus date="2015">\n'


def corpus(*texts: str) -> str:
    messages = (f'<message id="{n}"><text>{text}</text><type kind="send"/></message>' for n, text in enumerate(texts))
    return HEAD + "\n".join(messages) + "</corpus>"


def test_each_message_is_a_dialogue_of_one_turn() -> None:
    result = read(XML, corpus("到了吗", "到了"))
    assert result.turns == [(1, "到了吗"), (2, "到了")]
    assert result.pairs() == result.pairs(Pairing.FIRST) == []


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("&lt;TIME&gt; 见 &amp; &quot;早&quot;", '<TIME> 见 & "早"'),
        ("一&#13;\n二", "一\r\n二"),
        ("第一行\n第二行", "第一行\n第二行"),
        ("<![CDATA[<b>]]>", "<b>"),
        ("粗<b>体</b>字", "粗体字"),
        ("\u2028隔\x85行", "\u2028隔\x85行"),
    ],
    ids=["entities", "carriage return", "line break", "cdata", "inner element", "odd breaks"],
)
def test_entities_and_tags_are_resolved(written: str, text: str) -> None:
    assert read(XML, corpus(written)).turns == [(1, text)]


@pytest.mark.parametrize("empty", ["", " ", "\n", "&#13;"])
def test_an_empty_text_is_empty(empty: str) -> None:
    assert read(XML, corpus(empty, "在")).rejects == [(1, Reason.EMPTY)]


@pytest.mark.parametrize(
    "bad",
    ["&lol;", "&", "<b>", "\0", "<", "&#0;", "</text><text", "&#xD800;"],
)
def test_a_damaged_message_rejects_only_itself(bad: str) -> None:
    result = read(XML, corpus("前", bad, "后"))
    assert result.turns == [(1, "前"), (3, "后")]
    assert result.rejects == [(2, Reason.LAYOUT)]


def test_an_entity_that_the_file_declares_is_not_expanded() -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE c [<!ENTITY a "哈哈"><!ENTITY b SYSTEM "file:///etc/hostname">]><c>'
    result = read(XML, f"{bomb}<message><text>&a;</text></message><message><text>&b;</text></message></c>")
    assert result.rejects == [(1, Reason.LAYOUT), (2, Reason.LAYOUT)]
    assert read(XML, '<message><!DOCTYPE c [<!ENTITY a "哈">]><text>&a;</text></message>').rejects == [
        (1, Reason.LAYOUT)
    ]


def test_a_bad_byte_rejects_its_message() -> None:
    result = read(XML, corpus("前", "坏", "后").encode().replace("坏".encode(), b"\xff"))
    assert result.turns == [(1, "前"), (3, "后")]
    assert result.rejects == [(2, Reason.ENCODING)]


def test_a_message_without_text_or_end_is_rejected() -> None:
    result = read(XML, "<message><other/></message><message><text>断</text>")
    assert result.rejects == [(1, Reason.LAYOUT), (2, Reason.LAYOUT)]


def test_a_truncated_message_does_not_damage_the_next() -> None:
    result = read(XML, "<message><text>断<message><text>在</text></message>", shard_bytes=1)
    assert result.turns == [(2, "在")]


def test_deep_nesting_raises_nothing() -> None:
    assert read(XML, corpus("<a>" * 20_000 + "</a>" * 20_000)).rejects == [(1, Reason.EMPTY)]


def test_elements_with_longer_names_are_not_messages() -> None:
    assert read(XML, corpus("甲").replace("<type", "<messageProfile").replace('"send"/>', '"x"/>')).turns == [(1, "甲")]


@pytest.mark.parametrize("content", ["", HEAD, "不是 XML"])
def test_a_file_without_messages_has_no_records(content: str) -> None:
    result = read(XML, content)
    assert (result.rows, result.used, result.lost) == ([], 0, 0)
