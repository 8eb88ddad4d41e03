"""Benchmarks in every format that an export writes are read as the pairs that they hold."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from chat_corpus.errors import UsageError
from chat_corpus.exports.dialogues import DIALOGUES
from chat_corpus.exports.near_twins import pair_texts
from chat_corpus.exports.records import FORMATS, encode_parquet
from chat_corpus.runs.export.evaluation_files import check_files, evaluation_pairs
from tests.helpers import put

_ROLES = ("user", "assistant")


def _frame(*dialogues: list[str]) -> pl.DataFrame:
    rows = [[{"role": _ROLES[at % 2], "content": text} for at, text in enumerate(one)] for one in dialogues]
    ids = [f"ptt-{number:016x}" for number in range(len(rows))]
    return pl.DataFrame({"id": ids, "source": ["ptt"] * len(rows), "messages": rows}, DIALOGUES)


FRAME = _frame(["今天吃什么？", "火锅吧！"], ["你好", "在吗", "几点了", "五点"])


def _texts(path: Path) -> list[str]:
    return pl.concat(evaluation_pairs(path))["text"].to_list()


@pytest.mark.parametrize(
    "name", ["hf", *(name for name, one in FORMATS.items() if one.suffix != "txt" and one.rows(FRAME))]
)
def test_every_format_of_an_export_gives_its_pairs(name: str, tmp_path: Path) -> None:
    expected = pair_texts(FRAME["messages"])["text"].to_list()
    path = tmp_path / f"test.{'parquet' if name == 'hf' else FORMATS[name].suffix}"
    path.write_bytes(encode_parquet(FRAME) if name == "hf" else FORMATS[name].header + FORMATS[name].encode(FRAME))
    assert sorted(_texts(path)) == sorted(expected)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", '{"question": "今天吃什么", "answer": "火锅吧"}\n\n'),
        ("a.json", '[{"instruction": "今天吃什么", "input": "", "output": "火锅吧"}]'),
        ("a.tsv", "id\tquestion\tanswer\n7\t今天吃什么\t火锅吧\n"),
        ("a.csv", '﻿answer,question\n"火锅吧","今天吃什么"\n'),
    ],
)
def test_benchmarks_of_others_are_read_by_their_names(name: str, content: str, tmp_path: Path) -> None:
    (frame,) = evaluation_pairs(put(tmp_path, {name: content}) / name)
    assert frame.rows() == [(f"{name}:1", "今天吃什么\x1f火锅吧")]


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("a.jsonl", '{"question": "今天吃什么"}\n', "row 1: "),
        ("a.jsonl", '{"q": "一", "a": "二"}\n{"q": "一", "a": " "}\n', "row 2: "),
        ("a.jsonl", '{"q": "一", "a": "二"}\n{"q": \n', "after row 1: cannot be read"),
        ("a.tsv", "一\t二\n三\n", "row 2: "),
        ("a.parquet", "no", "cannot be read"),
        ("a.jsonl", "", "no rows"),
        ("a.csv", "x,y,z\n1,2,3\n", "row 1: "),
        ("a.csv", "query,answer\na,b,c\n", "row 1: more fields than the first line has"),
        ("a.tsv", "query\tanswer\na\tb\tc\n", "row 1: more fields than the first line has"),
        ("a.jsonl", '{"conversation": [{"human": "一"}]}\n', "row 1: a text under 'assistant' expected"),
        ("a.jsonl", '{"conversation": [{"human": 1, "assistant": 2}]}\n', "row 1: a text under 'human' expected"),
        ("a.jsonl", '{"dialog": [["一", "二"]]}\n', "row 1: a text under 'text' expected"),
        ("a.json", "[" * 100_000, "after row 0: cannot be read"),
    ],
)
def test_what_holds_no_pair_is_named_with_its_row(name: str, content: str, fault: str, tmp_path: Path) -> None:
    path = put(tmp_path, {name: content}) / name
    with pytest.raises(UsageError, match=f"{name}: .*{fault}|{name}: {fault}"):
        list(evaluation_pairs(path))
    with pytest.raises(UsageError, match=fault):  # before any raw file is read
        check_files([str(path)])


def test_a_file_is_looked_for_before_anything_is_done(tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": "x"})
    with pytest.raises(UsageError, match="cannot tell the format"):
        check_files([str(tmp_path / "a.txt")])
    with pytest.raises(UsageError, match="no such file"):
        check_files([str(tmp_path / "a.jsonl")])


def test_many_rows_come_in_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat_corpus.runs.export.evaluation_files.BATCH_ROWS", 2)
    rows = "".join(json.dumps({"query": f"问{number}", "response": "答"}) + "\n" for number in range(5))
    frames = list(evaluation_pairs(put(tmp_path, {"a.jsonl": rows}) / "a.jsonl"))
    assert [len(frame) for frame in frames] == [2, 2, 1]
