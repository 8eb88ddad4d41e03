"""Who says each turn: formats give what the file says, and nothing where it does not."""

from __future__ import annotations

import json

import polars as pl
import pytest

from chat_corpus.formats.base import Format
from chat_corpus.formats.blank_lines import BLANK_LINES
from chat_corpus.formats.chat_exports import chat_export
from chat_corpus.formats.cornell import LINE_IDS
from chat_corpus.formats.instructions import instruction_turns
from chat_corpus.formats.message_tables import message_table
from chat_corpus.formats.own_records import record_turns
from chat_corpus.formats.xml_messages import xml_messages

_CHAT = "2024/1/1 10:00 - 小明: 在吗\n2024/1/1 10:01 - 小红: 在\n2024/1/1 10:01 - 小红: 怎么\n"
_TABLE = "speaker,text,dialogue\n甲,在吗,1\n甲,喂,1\n乙,在,1\n"
_SMS = "<message id='1'><text>在吗</text><source><userID>a1</userID></source></message>"
_UNKNOWN = "<message id='2'><text>在</text><source><userID>unknown</userID></source></message>"


def _speakers(format_: Format, text: str, *more: str) -> list[str | None]:
    data = [part.encode() for part in (text, *more)]
    format_ = format_.fitted(data[0])
    rows = format_.read([format_.split(part, 1) for part in data]).rows
    return rows["speaker"].to_list() if "speaker" in rows.columns else [None] * len(rows)


@pytest.mark.parametrize(
    ("format_", "files", "expected"),
    [
        (chat_export(), [_CHAT], ["小明", "小红"]),
        (message_table(), [_TABLE], ["甲", "乙"]),
        (xml_messages("message", "text", "source/userID"), [_SMS + _UNKNOWN], ["a1", None]),
        (
            LINE_IDS,
            ["1 +++$+++ u7 +++$+++ 问\n2 +++$+++ u9 +++$+++ 答\n", "x +++$+++ [1, 2]\n"],
            ["u7", "u9"],
        ),
        (BLANK_LINES, ["在吗\n在\n\n"], [None, None]),
    ],
    ids=["chat export", "messages", "xml", "line ids", "lines"],
)
def test_a_format_gives_the_speakers_that_the_file_names(
    format_: Format, files: list[str], expected: list[str | None]
) -> None:
    assert _speakers(format_, *files) == expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"query": "在吗", "response": "在"}, ("user", "assistant")),
        (
            {"conversations": [{"from": "human", "value": "在吗"}, {"from": "gpt", "value": "在"}]},
            ("user", "assistant"),
        ),
        ({"conversations": [{"from": "a", "value": "在吗"}, {"from": "b", "value": "在"}]}, ("a", "b")),
        ({"dialog": [{"speaker": who, "text": who} for who in "甲甲乙丙"]}, ("甲", "乙", "丙")),
        ({"dialog": ["在吗", "在"]}, ()),
        (
            {"instruction": "写小明和小红的对话", "input": "", "output": "小明：在吗\n小红：在\n"},
            ("小明", "小红"),
        ),
    ],
)
def test_a_record_gives_the_speakers_that_it_names(record: object, expected: tuple[str, ...]) -> None:
    assert record_turns(record).speakers == expected


def test_instruction_data_are_of_user_and_assistant() -> None:
    turns = instruction_turns({"instruction": "几点", "output": "五点", "history": [["在吗", "在"]]})
    assert turns.speakers == ("user", "assistant") * 2
    assert json.dumps(turns, ensure_ascii=False) == '["在吗", "在", "几点", "五点"]'
    assert pl.Series(turns).len() == len(turns.speakers)
