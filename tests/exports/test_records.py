"""Each format has its exact records, whatever the texts hold."""

from __future__ import annotations

import csv
import io
import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.exports.dialogues import DIALOGUES
from chat_corpus.exports.records import FORMATS, PARQUET_COLUMNS, encode_ids, encode_parquet
from tests.conftest import examples

_ROLES = ("user", "assistant")


def _frame(dialogues: list[list[str]], system: str = "") -> pl.DataFrame:
    prompt = [{"role": "system", "content": system}] if system else []
    messages = [
        [*prompt, *({"role": _ROLES[at % 2], "content": text} for at, text in enumerate(one))] for one in dialogues
    ]
    ids = [f"ptt-{number:016x}" for number in range(len(dialogues))]
    return pl.DataFrame({"id": ids, "source": ["ptt"] * len(ids), "messages": messages}, schema=DIALOGUES)


FRAME = _frame([["你好", "在"], ["一", "二", "三", "四", "五", "六"]])
SYSTEM = _frame([["你好", "在"]], system="助手")

EXPECTED = {
    "messages": (
        '{"messages":[{"role":"user","content":"你好"},{"role":"assistant","content":"在"}],"source":"ptt","id":"ptt-0000000000000000"}',
        '{"messages":[{"role":"system","content":"助手"},{"role":"user","content":"你好"},{"role":"assistant","content":"在"}],"source":"ptt","id":"ptt-0000000000000000"}',
    ),
    "sharegpt": (
        '{"conversations":[{"from":"human","value":"你好"},{"from":"gpt","value":"在"}],"source":"ptt","id":"ptt-0000000000000000"}',
        '{"conversations":[{"from":"system","value":"助手"},{"from":"human","value":"你好"},{"from":"gpt","value":"在"}],"source":"ptt","id":"ptt-0000000000000000"}',
    ),
    "alpaca": (
        '{"instruction":"你好","input":"","output":"在","history":[],"source":"ptt","id":"ptt-0000000000000000"}',
        '{"system":"助手","instruction":"你好","input":"","output":"在","history":[],"source":"ptt","id":"ptt-0000000000000000"}',
    ),
    "prompt-completion": (
        '{"prompt":[{"role":"user","content":"你好"}],"completion":[{"role":"assistant","content":"在"}],"source":"ptt","id":"ptt-0000000000000000"}',
        '{"prompt":[{"role":"system","content":"助手"},{"role":"user","content":"你好"}],"completion":[{"role":"assistant","content":"在"}],"source":"ptt","id":"ptt-0000000000000000"}',
    ),
    "query-response": (
        '{"query":"你好","response":"在","history":[],"source":"ptt","id":"ptt-0000000000000000"}',
        '{"system":"助手","query":"你好","response":"在","history":[],"source":"ptt","id":"ptt-0000000000000000"}',
    ),
    "tsv": ("你好\t在", "你好\t在"),
    "csv": ("你好,在,ptt,ptt-0000000000000000", "你好,在,ptt,ptt-0000000000000000"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_record_is_exactly_this(name: str) -> None:
    plain, with_system = EXPECTED[name]
    assert FORMATS[name].encode(FRAME).decode().split("\n")[0] == plain
    assert FORMATS[name].encode(SYSTEM).decode() == with_system + "\n"


def test_earlier_exchanges_are_the_history() -> None:
    for name in ("alpaca", "query-response"):
        told = json.loads(FORMATS[name].encode(FRAME).splitlines()[1])
        assert told["history"] == [["一", "二"], ["三", "四"]]
        assert "五" in told.values()
        assert "六" in told.values()


def test_formats_of_rows_have_one_for_each_exchange_and_ids_in_the_same_order() -> None:
    for name in ("tsv", "csv"):
        format_ = FORMATS[name]
        assert format_.rows(FRAME) == len(format_.encode(FRAME).splitlines()) == 4
    ids = [json.loads(line)["id"] for line in encode_ids(FRAME, FORMATS["tsv"]).splitlines()]
    assert ids == ["ptt-0000000000000000", *["ptt-0000000000000001"] * 3]
    assert not FORMATS["tsv"].carries_id
    assert all(format_.carries_id for name, format_ in FORMATS.items() if name != "tsv")


_TEXTS = st.text(
    st.one_of(
        st.sampled_from('",\\\t\r\n\x0b\x0c\x1c\x85\u2028\u2029\ufeff\x00\x7f好😀𠮷 '), st.characters(codec="utf-8")
    ),
    min_size=1,
    max_size=6,
)
_DIALOGUES = st.lists(st.lists(_TEXTS, min_size=2, max_size=4).filter(lambda one: len(one) % 2 == 0), max_size=4)


@settings(max_examples=examples(40), deadline=None)
@given(_DIALOGUES, st.sampled_from(["", "助手"]))
def test_what_is_written_reads_back(dialogues: list[list[str]], system: str) -> None:
    frame = _frame(dialogues, system)
    rows = frame.to_dicts()
    lines = FORMATS["messages"].encode(frame).split(b"\n")
    assert lines.pop() == b""
    assert [json.loads(line) for line in lines] == [{name: row[name] for name in PARQUET_COLUMNS} for row in rows]
    for name in ("sharegpt", "alpaca", "prompt-completion", "query-response"):
        assert len([json.loads(line) for line in FORMATS[name].encode(frame).splitlines() if line.strip()]) >= len(rows)
    assert pl.read_parquet(io.BytesIO(encode_parquet(frame))).equals(frame.select(PARQUET_COLUMNS))
    text = FORMATS["csv"].encode(frame).decode()
    read = [row[:2] for row in csv.reader(io.StringIO(text, newline=""))] if "\x00" not in text else None
    exchanges = [one[at : at + 2] for one in dialogues for at in range(0, len(one), 2)]
    assert read in (exchanges, None)


@settings(max_examples=examples(20), deadline=None)
@given(_DIALOGUES, st.integers(0, 4))
def test_pieces_can_be_joined(dialogues: list[list[str]], border: int) -> None:
    frame = _frame(dialogues)
    for format_ in FORMATS.values():
        pieces = format_.encode(frame[:border]) + format_.encode(frame[border:])
        assert pieces == format_.encode(frame)


def test_no_dialogue_gives_no_byte() -> None:
    assert [format_.encode(FRAME.clear()) for format_ in FORMATS.values()] == [b""] * len(FORMATS)
