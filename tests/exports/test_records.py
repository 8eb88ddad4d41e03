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
    "firefly": (
        '{"conversation_id":"ptt-0000000000000000","category":"ptt","conversation":[{"human":"你好","assistant":"在"}]}',
        '{"system":"助手","conversation_id":"ptt-0000000000000000","category":"ptt","conversation":[{"human":"你好","assistant":"在"}]}',
    ),
    "lccc": ('{"dialog":["你好","在"],"source":"ptt","id":"ptt-0000000000000000"}',) * 2,
    "cdial-gpt": ("你好\t在",) * 2,
    "gpt2-chitchat": ("你好", "你好\n在"),
    "parlai": (
        '{"dialog":[[{"id":"user","text":"\\u4f60\\u597d"},{"id":"assistant","text":"\\u5728"}]],"source":"ptt","id":"ptt-0000000000000000"}',
    )
    * 2,
    "csv": ("你好,在,ptt,ptt-0000000000000000", "你好,在,ptt,ptt-0000000000000000"),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_record_is_exactly_this(name: str) -> None:
    plain, with_system = EXPECTED[name]
    assert FORMATS[name].encode(FRAME).decode().split("\n")[0] == plain
    end = "" if FORMATS[name].separator else "\n"
    assert FORMATS[name].encode(SYSTEM).decode() == with_system + end


def test_every_format_is_tried() -> None:
    assert {*EXPECTED, "preference"} == set(FORMATS)


def test_a_preference_has_a_row_for_each_wrong_answer() -> None:
    rejected = pl.Series("rejected", [["走", "买"], []], dtype=pl.List(pl.String))
    frame = SYSTEM.vstack(FRAME[1:]).with_columns(rejected)
    format_ = FORMATS["preference"]
    lines = format_.encode(frame).decode().splitlines()
    assert len(lines) == format_.rows(frame) == 2
    assert lines[0] == (
        '{"prompt":[{"role":"system","content":"助手"},{"role":"user","content":"你好"}],'
        '"chosen":[{"role":"assistant","content":"在"}],"rejected":[{"role":"assistant","content":"走"}],'
        '"source":"ptt","id":"ptt-0000000000000000"}'
    )
    assert (format_.encode(FRAME), format_.rows(FRAME)) == (b"", 0)


def test_earlier_exchanges_are_the_history() -> None:
    for name in ("alpaca", "query-response"):
        record = json.loads(FORMATS[name].encode(FRAME).splitlines()[1])
        assert record["history"] == [["一", "二"], ["三", "四"]]
        assert "五" in record.values()
        assert "六" in record.values()


def test_formats_of_rows_have_one_for_each_exchange_and_ids_in_the_same_order() -> None:
    for name in ("tsv", "csv"):
        format_ = FORMATS[name]
        assert format_.rows(FRAME) == len(format_.encode(FRAME).splitlines()) == 4
    ids = [json.loads(line)["id"] for line in encode_ids(FRAME, FORMATS["tsv"]).splitlines()]
    assert ids == ["ptt-0000000000000000", *["ptt-0000000000000001"] * 3]
    assert not FORMATS["tsv"].carries_id
    lacking = {name for name, format_ in FORMATS.items() if not format_.carries_id}
    assert lacking == {"tsv", "cdial-gpt", "gpt2-chitchat"}


_TEXTS = st.text(
    st.one_of(
        st.sampled_from('",\\\t\r\n\x0b\x0c\x1c\x85\u2028\u2029\ufeff\x00\x7f好😀𠮷 '), st.characters(codec="utf-8")
    ),
    min_size=1,
    max_size=6,
)
_SPEECH = _TEXTS.filter(lambda text: bool(text.strip()) and bool(pl.Series([text]).str.strip_chars()[0]))
_SPOKEN = st.lists(st.lists(_SPEECH, min_size=2, max_size=4).filter(lambda one: len(one) % 2 == 0), max_size=4)
_DIALOGUES = st.lists(st.lists(_TEXTS, min_size=2, max_size=4).filter(lambda one: len(one) % 2 == 0), max_size=4)


@settings(max_examples=examples(15), deadline=None)
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


@settings(max_examples=examples(8), deadline=None)
@given(_SPOKEN, st.integers(0, 4))
def test_pieces_can_be_joined(dialogues: list[list[str]], border: int) -> None:
    frame = _frame(dialogues)
    for format_ in FORMATS.values():
        pieces = [piece for piece in (format_.encode(frame[:border]), format_.encode(frame[border:])) if piece]
        assert format_.separator.join(pieces) == format_.encode(frame)
        assert format_.rows_in(format_.encode(frame)) in (format_.rows(frame), None)


def test_no_dialogue_gives_no_byte() -> None:
    assert [format_.encode(FRAME.clear()) for format_ in FORMATS.values()] == [b""] * len(FORMATS)


@settings(max_examples=examples(40), deadline=None)
@given(
    st.lists(st.lists(_SPEECH, min_size=2, max_size=4).filter(lambda one: len(one) % 2 == 0), min_size=1, max_size=4)
)
def test_research_projects_read_their_formats_as_they_do(dialogues: list[list[str]]) -> None:
    """As GPT2-chitchat, CDial-GPT, ParlAI and Firefly read them: see `research_formats`."""
    frame = _frame(dialogues)
    text = FORMATS["gpt2-chitchat"].encode(frame).decode()
    assert "\r" not in text
    assert [len(one.split("\n")) for one in text.split("\n\n")] == [len(one) for one in dialogues]
    assert all(utterance for one in text.split("\n\n") for utterance in one.split("\n"))
    lines = list(io.StringIO(FORMATS["cdial-gpt"].encode(frame).decode(), newline=None))
    assert [len(line.strip().split("\t")) for line in lines] == [len(one) for one in dialogues]
    episodes = [json.loads(line) for line in FORMATS["parlai"].encode(frame).decode("ascii").splitlines()]
    assert [[act["text"] for pair in one["dialog"] for act in pair] for one in episodes] == dialogues
    rows = [json.loads(line) for line in FORMATS["firefly"].encode(frame).decode().split("\n")[:-1]]
    assert [[text for pair in one["conversation"] for text in pair.values()] for one in rows] == dialogues
    rows = [json.loads(line) for line in FORMATS["lccc"].encode(frame).decode().split("\n")[:-1]]
    assert [one["dialog"] for one in rows] == dialogues
