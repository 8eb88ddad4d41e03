"""The shapes in which corpora circulate: each is read, text by text, or named with what to do and exit code 3 or 1."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.helpers import invoke, put, visible

PAIRS = [("今天吃什么", "吃面条"), ("明天去哪里", "去公园"), ("晚上做什么", "在家看书"), ("周末有空吗", "有空的")]
AWKWARD = [('他说"好"', "第一行\n第二行"), ("逗号,在这", "分号;在这"), ("竖线|在这", "没有别的"), *PAIRS]

Shape = tuple[str, str | bytes, list[tuple[str, str]]]


def row(fields: Sequence[str], separator: str, *, every: bool = False) -> str:
    """Fields as a line, in quotes where they need them, or all of them."""
    special = (separator, '"', "\n")
    quoted = (f'"{field.replace(chr(34), chr(34) * 2)}"' for field in fields)
    return (
        separator.join(
            quote if every or any(mark in field for mark in special) else field
            for field, quote in zip(fields, quoted, strict=True)
        )
        + "\n"
    )


def table(rows: Sequence[Sequence[str]], separator: str = ",", *, every: bool = False) -> str:
    return "".join(row(fields, separator, every=every) for fields in rows)


def numbered(rows: Sequence[Sequence[str]], first: int = 0) -> list[tuple[str, ...]]:
    return [(str(number), *fields) for number, fields in enumerate(rows, first)]


def swapped(rows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(answer, question) for question, answer in rows]


def written(rows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(question.replace("\n", "\\n"), answer.replace("\n", "\\n")) for question, answer in rows]


#: Names under which tables are read; their ending does not decide the separator.
TABLES = (
    "Gossiping-QA-Dataset-2_0.csv",
    "Gossiping-QA-Dataset.txt",
    "Gossiping-QA-Dataset-2_0.tsv",
    "12万对话语料青云库.csv",
    "xiaohuangji.csv",
    "tieba.dialogues",
    "STC.txt",
)
SEPARATORS = {"comma": ",", "tab": "\t", "semicolon": ";", "bar": "|", "bar with blanks": " | "}
HEADERS = (
    ("question", "answer"),
    ("QUESTION", "Answer"),
    (" Question ", "answer "),
    ("Q", "A"),
    ("问题", "答案"),
    ("问", "答"),
    ("問題", "回覆"),
    ("Question（问）", "Answer（答）"),
    ("问题内容", "答案内容"),
    ("input", "output"),
    ("input_text", "target_text"),
    ("ask", "reply"),
    ("ques", "ans"),
    ("post", "response"),
    ("post", "cmnt"),
    ("title", "reply"),
    ("context", "response"),
    ("source", "target"),
    ("src", "tgt"),
    ("x", "y"),
    ("sentence1", "sentence2"),
    ("对话1", "对话2"),
    ("上句", "下句"),
    ("客户", "客服"),
    ("0", "1"),
)


def tables() -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    for name in TABLES:
        for kind, separator in SEPARATORS.items():
            shapes[f"{name}, {kind}, header"] = name, table([HEADERS[0], *PAIRS], separator), PAIRS
            shapes[f"{name}, {kind}"] = name, table(PAIRS, separator), PAIRS
    name = TABLES[0]
    for header in HEADERS:
        shapes[f"header {'/'.join(header)}"] = name, table([header, *PAIRS]), PAIRS
        shapes[f"header {header[1]}/{header[0]}"] = name, table(swapped([header, *PAIRS]), "\t"), PAIRS
    for kind, separator in list(SEPARATORS.items())[:4]:
        for every in (False, True):
            end = f"{kind}, {'all' if every else 'some'} in quotes"
            kinds: dict[str, Sequence[Sequence[str]]] = {
                "a header": [HEADERS[0], *AWKWARD],
                "no header": AWKWARD,
                "an index": [("", *HEADERS[0]), *numbered(AWKWARD)],
                "an index, no header": numbered(AWKWARD, 1),
            }
            for words, rows in kinds.items():
                shapes[f"{words}, {end}"] = name, table(rows, separator, every=every), written(AWKWARD)
        shapes[f"plain, all in quotes, {kind}"] = TABLES[1], table(PAIRS, separator, every=True), PAIRS
    return shapes


HEADED = table([HEADERS[0], *PAIRS])
MORE = ("再来一句", "好的")
ODD_TABLES: dict[str, Shape] = {
    "a mark and CRLF": (TABLES[0], "\ufeff" + HEADED.replace("\n", "\r\n"), PAIRS),
    "UTF-16": (TABLES[0], HEADED.encode("utf-16"), PAIRS),
    "UTF-16 without mark": (TABLES[0], table([HEADERS[0], *PAIRS * 20]).encode("utf-16-le"), PAIRS),
    "GB18030": (TABLES[0], HEADED.encode("gb18030"), PAIRS),
    "gzip": (TABLES[0] + ".gz", gzip.compress(HEADED.encode()), PAIRS),
    "gzip of UTF-16": (TABLES[0] + ".gz", gzip.compress(HEADED.encode("utf-16")), PAIRS),
    "Markdown": (
        TABLES[0],
        "| question | answer |\n| --- | :---: |\n" + "".join(f"| {q} | {a} |\n" for q, a in PAIRS),
        PAIRS,
    ),
    "Markdown without header": (TABLES[0], "".join(f"| {q} | {a} |\n" for q, a in PAIRS), PAIRS),
    "Excel's separator line": (TABLES[0], "sep=;\n" + table([HEADERS[0], *PAIRS], ";"), PAIRS),
    "blank lines before": (TABLES[0], "\n \n" + HEADED, PAIRS),
    "a comma at the end of each line": (TABLES[0], table(PAIRS).replace("\n", ",\n"), PAIRS),
    "empty columns": (TABLES[0], table([(*pair, "", "") for pair in PAIRS]), PAIRS),
    "two tabs": (TABLES[1], table(PAIRS, "\t\t"), PAIRS),
    "numbers with zeros in front": (TABLES[0], table([(f"{n:03}", *pair) for n, pair in enumerate(PAIRS)]), PAIRS),
    "numbers out of order": (
        TABLES[0],
        table([(str(n), *pair) for n, pair in zip([7, 2, 9, 4], PAIRS, strict=True)]),
        PAIRS,
    ),
    "numbers named id": (TABLES[0], table([("id", *HEADERS[0]), *numbered(PAIRS)]), PAIRS),
    "a label": (TABLES[0], table([(*HEADERS[0], "label"), *[(*pair, "1") for pair in PAIRS]]), PAIRS),
    "a header with tabs over commas": (TABLES[0], "question\tanswer\n" + table(PAIRS), PAIRS),
    "wide commas": (TABLES[0], "问题，答案\n" + table(PAIRS, "，"), PAIRS),
}

Record = Callable[[str, str], Any]
ALPACA: Record = lambda q, a: {"instruction": q, "input": "", "output": a}  # noqa: E731 one of a table of such


def messages(asks: str, answers: str, role: str = "role", text: str = "content") -> Record:
    return lambda q, a: [{role: asks, text: q}, {role: answers, text: a}]


def under(key: str, record: Record) -> Record:
    return lambda q, a: {key: record(q, a)}


RECORDS: dict[str, Record] = {
    "alpaca": ALPACA,
    "alpaca in capitals": lambda q, a: {"INSTRUCTION": q, "INPUT": "", "OUTPUT": a},
    "an empty history": lambda q, a: {**ALPACA(q, a), "history": []},
    "no history": lambda q, a: {**ALPACA(q, a), "history": None},
    "a system prompt": lambda q, a: {**ALPACA(q, a), "system": "你是助手"},
    "input and output": lambda q, a: {"input": q, "output": a},
    "input and target": lambda q, a: {"input": q, "target": a},
    "prompt and response": lambda q, a: {"prompt": q, "response": a},
    "prompt and completion": lambda q, a: {"prompt": q, "completion": a},
    "query and response": lambda q, a: {"query": q, "response": a},
    "question and answer": lambda q, a: {"id": 7, "question": q, "answer": a, "score": 1.5},
    "q and a": lambda q, a: {"q": q, "a": a},
    "问 and 答": lambda q, a: {"问": q, "答": a},
    "context and response": lambda q, a: {"context": [q], "response": a},
    "title and answer": lambda q, a: {"title": q, "answer": a},
    "a list of one answer": lambda q, a: {"question": q, "answers": [a]},
    "evaluation": lambda q, a: {"question": q, "std_answer": a, "class": "qa"},
    "conversations": under("conversations", messages("human", "gpt", "from", "value")),
    "messages": under("messages", messages("user", "assistant")),
    "a list of messages": messages("user", "assistant"),
    "other keys": under("dialogue", messages("user", "bot", "speaker", "text")),
    "roles in Chinese": under("messages", messages("用户", "机器人")),
    "roles of Anthropic's kind": under("messages", messages("Human", "AI")),
    "two whom nobody knows": under("dialogue", messages("A", "B", "speaker", "text")),
    "two names": under("dialogue", messages("小禾", "小满", "speaker", "text")),
    "two numbers": lambda q, a: {"turns": [{"speaker": 0, "text": q}, {"speaker": 1, "text": a}]},
    "a system message": lambda q, a: {
        "messages": [{"role": "系统", "content": "规则"}, *messages("user", "assistant")(q, a)]
    },
    "a developer's message": lambda q, a: {
        "messages": [{"role": "developer", "content": "规则"}, *messages("user", "model")(q, a)]
    },
    "parts": lambda q, a: {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": q}]},
            {"role": "assistant", "content": [a]},
        ]
    },
    "both sides in an object": lambda q, a: {"conversation": [{"human": q, "assistant": a}]},
    "one object": lambda q, a: {"conversation": {"human": q, "assistant": a}},
    "a side in an object": lambda q, a: {"conversation": [{"user": q}, {"assistant": a}]},
    "texts": lambda q, a: {"conversations": [q, a]},
}


def lines(record: Record = ALPACA) -> str:
    return "".join(json.dumps(record(*pair), ensure_ascii=False) + "\n" for pair in PAIRS)


def array(record: Record = ALPACA, indent: int | None = None) -> str:
    return json.dumps([record(*pair) for pair in PAIRS], ensure_ascii=False, indent=indent)


def wrapped(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


BELLE = "belle/train_2M_CN.json"
LIST = [ALPACA(*pair) for pair in PAIRS]
QUESTIONS, ANSWERS = [q for q, _ in PAIRS], [a for _, a in PAIRS]
LINES, ARRAY = lines(), array()
FILES: dict[str, Shape] = {
    "a mark before each line": (BELLE, "".join(f"\ufeff{one}\n" for one in LINES.splitlines()), PAIRS),
    "record separators": (BELLE, "".join(f"\x1e{one}\n" for one in LINES.splitlines()), PAIRS),
    "CRLF": (BELLE, LINES.replace("\n", "\r\n"), PAIRS),
    "UTF-16": (BELLE, ARRAY.encode("utf-16"), PAIRS),
    "GB18030": (BELLE, LINES.encode("gb18030"), PAIRS),
    ".jsonl.gz": ("belle/train_2M_CN.jsonl.gz", gzip.compress(LINES.encode()), PAIRS),
    ".ndjson": ("belle/anything.ndjson", LINES, PAIRS),
    "an array under .jsonl": ("belle/anything.jsonl", ARRAY, PAIRS),
    "a shard of a clone": ("BELLE/data/train-00000-of-00003.json", LINES, PAIRS),
    "a comma after each line": (BELLE, LINES.replace("}\n", "},\n"), PAIRS),
    "an array without its first bracket": (BELLE, LINES.replace("}\n", "},\n")[:-2] + "\n]", PAIRS),
    "a comma after the last value": (BELLE, LINES.replace('"}', '",}'), PAIRS),
    "a comma after the last record": (BELLE, ARRAY[:-1] + ",]", PAIRS),
    "records on one line": (BELLE, LINES.replace("\n", " "), PAIRS),
    "records without anything between": (BELLE, LINES.replace("\n", ""), PAIRS),
    "objects over lines": (BELLE, "\n".join(wrapped(one, 2) for one in LIST), PAIRS),
    "objects over lines with commas": (BELLE, ",\n".join(wrapped(one, 2) for one in LIST), PAIRS),
    "a list under a key": (BELLE, wrapped({"data": LIST}), PAIRS),
    "a list under two keys": (
        BELLE,
        wrapped({"version": "1", "data": {"train": LIST[:2], "test": LIST[2:]}}, 2),
        PAIRS,
    ),
    "by number": (BELLE, wrapped({str(n): one for n, one in enumerate(LIST)}, 2), PAIRS),
    "columns": (BELLE, wrapped({"instruction": QUESTIONS, "output": ANSWERS}), PAIRS),
    "columns by row": (
        BELLE,
        wrapped({"question": dict(enumerate(QUESTIONS)), "answer": dict(enumerate(ANSWERS))}, 1),
        PAIRS,
    ),
    "names and rows": (
        BELLE,
        wrapped({"columns": ["instruction", "input", "output"], "data": [[q, "", a] for q, a in PAIRS]}, 1),
        PAIRS,
    ),
    "an input of NaN": (BELLE, LINES.replace('"input": ""', '"input": NaN'), PAIRS),
    "a score of NaN": (BELLE, ARRAY.replace('"input": ""', '"score": NaN'), PAIRS),
    "a raw tab": (BELLE, LINES.replace("今天", "今天\t"), [("今天 吃什么", "吃面条"), *PAIRS[1:]]),
    "a raw break in the first record": (
        BELLE,
        LINES.replace("吃面条", "吃\n面条"),
        [("今天吃什么", "吃\\n面条"), *PAIRS[1:]],
    ),
    "a raw break in the third record": (
        BELLE,
        LINES.replace("在家看书", "在家\r\n看书"),
        [*PAIRS[:2], ("晚上做什么", "在家\\n看书"), PAIRS[3]],
    ),
    "one record": (BELLE, wrapped(LIST[0], 2), PAIRS[:1]),
    "one conversation": (BELLE, wrapped(messages("user", "assistant")(*PAIRS[0])), PAIRS[:1]),
    "several shapes": (
        BELLE,
        "".join(
            wrapped(RECORDS[kind](*pair)) + "\n"
            for kind, pair in zip(["alpaca", "question and answer", "messages", "texts"], PAIRS, strict=True)
        ),
        PAIRS,
    ),
    "ChatterBot's": ("chinese/talk.corpus.json", wrapped({"talk": [list(pair) for pair in PAIRS]}, 4), PAIRS),
    "ChatterBot's with categories": (
        "chinese/talk.corpus.json",
        wrapped({"categories": ["闲聊", "talk"], "conversations": [["一", "二", "三"], ["四", "五"]]}),
        [("一", "二"), ("二", "三"), ("四", "五")],
    ),
    "STC.json": ("STC.json", wrapped({"train": [list(pair) for pair in PAIRS]}), PAIRS),
    "STC.json with a part for tests": (
        "STC.json",
        wrapped({"train": [list(pair) for pair in PAIRS[:3]], "dev": [list(PAIRS[3])]}, 1),
        PAIRS,
    ),
    "xiaohuangji as JSON": ("xiaohuangji.json", array(RECORDS["question and answer"], 2), PAIRS),
    "ptt as JSON Lines": ("Gossiping-QA-Dataset-2_0.jsonl", lines(RECORDS["question and answer"]), PAIRS),
    "qingyun as JSON": ("青云库.json", array(RECORDS["q and a"]), PAIRS),
    "tieba as JSON": ("tieba.json", array(lambda q, a: {"post": q, "reply": a}), PAIRS),
}

BEFORE = ("早上好", "早")
HISTORIES: dict[str, Any] = {
    "pairs": [list(BEFORE)],
    "pairs, some empty": [[], list(BEFORE), []],
    "texts": list(BEFORE),
    "messages": messages("user", "assistant")(*BEFORE),
    "objects": [{"question": BEFORE[0], "answer": BEFORE[1]}],
    "objects of two sides": [{"human": BEFORE[0], "assistant": BEFORE[1]}],
    "one text": f"Human: {BEFORE[0]}\nAssistant: {BEFORE[1]}",
    "JSON in a text": json.dumps([list(BEFORE)]),
}


def histories() -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    for kind, history in HISTORIES.items():
        for key in ("history", "chat_history") if kind == "pairs" else ("history",):
            content = wrapped({**LIST[0], key: history}) + "\n"
            shapes[f"{key} of {kind}"] = BELLE, content, [BEFORE, PAIRS[0]]
    for kind, history in {"an empty object": {}, "an empty text": "", "an empty list in a text": "[]"}.items():
        shapes[f"history of {kind}"] = BELLE, wrapped({**LIST[0], "history": history}) + "\n", PAIRS[:1]
    return shapes


def parquet(columns: dict[str, Any]) -> bytes:
    held = io.BytesIO()
    pl.DataFrame(columns).write_parquet(held)
    return held.getvalue()


PARQUET: dict[str, tuple[str, dict[str, Any]]] = {
    "alpaca": ("belle/a.parquet", {"instruction": QUESTIONS, "input": [None] * 4, "output": ANSWERS}),
    "a list of messages": ("belle/a.parquet", {"messages": [messages("user", "assistant")(*pair) for pair in PAIRS]}),
    "an id": (
        "belle/data/train-00000-of-00001.parquet",
        {"id": range(4), "conversations": [messages("human", "gpt", "from", "value")(*pair) for pair in PAIRS]},
    ),
    "a picture": ("belle/a.parquet", {"instruction": QUESTIONS, "output": ANSWERS, "image": [b"\xff\xd8"] * 4}),
    "pictures": (
        "belle/a.parquet",
        {"instruction": QUESTIONS, "output": ANSWERS, "images": [[{"bytes": b"\xff\xd8", "path": None}]] * 4},
    ),
    "text as bytes": (
        "belle/a.parquet",
        {"instruction": [one.encode() for one in QUESTIONS], "output": [one.encode() for one in ANSWERS]},
    ),
    "an index": ("belle/a.parquet", {"prompt": QUESTIONS, "response": ANSWERS, "__index_level_0__": [3, 1, 0, 2]}),
    "ptt": ("Gossiping-QA-Dataset-2_0.parquet", {"question": QUESTIONS, "answer": ANSWERS}),
    "weibo": ("STC.parquet", {"post": QUESTIONS, "response": ANSWERS}),
}

READ: dict[str, Shape] = {
    **{f"table: {kind}": shape for kind, shape in {**tables(), **ODD_TABLES}.items()},
    **{f"lines: {kind}": (BELLE, lines(record), PAIRS) for kind, record in RECORDS.items()},
    **{f"array: {kind}": (BELLE, array(record, 2), PAIRS) for kind, record in RECORDS.items() if kind != "texts"},
    **{f"file: {kind}": shape for kind, shape in FILES.items()},
    **{f"history: {kind}": shape for kind, shape in histories().items()},
    **{f"Parquet: {kind}": (name, parquet(columns), PAIRS) for kind, (name, columns) in PARQUET.items()},
}


def rows_of(out: Path) -> list[tuple[str, ...]]:
    tsv = [content.decode() for name, content in visible(out).items() if name.endswith(".tsv")]
    return [tuple(line.split("\t")) for content in tsv for line in content.splitlines()]


#: What is tried with the slow tests: tables of the same shapes under more names, most words of headers, columns in most
#: layouts with most separators, half of the records as lines, and most of those as arrays.
SLOW = {
    *(kind for kind in READ if kind.startswith(tuple(f"table: {name}" for name in TABLES[1:]))),
    *(kind for number, kind in enumerate(kind for kind in READ if kind.startswith("table: header ")) if number % 5),
    *(kind for number, kind in enumerate(kind for kind in READ if kind.endswith(" in quotes")) if number % 5),
    *(kind for number, kind in enumerate(kind for kind in READ if kind.startswith("array: ")) if number % 5),
    *(kind for number, kind in enumerate(kind for kind in READ if kind.startswith("lines: ")) if number % 2),
}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow) if kind in SLOW else kind for kind in READ]
)
def test_a_shape_that_circulates_is_read(kind: str, tmp_path: Path) -> None:
    name, content, pairs = READ[kind]
    done = invoke("-q", "--raw", put(tmp_path / "raw", {name: content}), "--out", tmp_path / "out")
    assert (done.exit_code, done.stderr) == (0, "")
    assert rows_of(tmp_path / "out") == pairs


def zipped(name: str, content: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return held.getvalue()


LONG = wrapped(LIST * 2000)
CUT_SHORT = "a truncated JSON array, without closing bracket; download the file again"
#: Files that are not read: the name, the content, the exit code, and the message.
REFUSED: dict[str, tuple[str, str | bytes, int, str]] = {
    "another separator": (TABLES[0], table(PAIRS, "^"), 3, r"fields 4; the first is \S+:1, not two comma-separated"),
    "one column": (TABLES[1], "".join(f"{q}\n" for q in QUESTIONS), 3, r"2 fields separated by '\\t' expected, 1 met"),
    "several answers": (
        TABLES[0],
        table([("question", "answer1", "answer2"), *[(*pair, "嗯") for pair in PAIRS]]),
        3,
        "not two comma-separated fields .*question,answer1,answer2",
    ),
    "CR alone": (TABLES[0], HEADED.replace("\n", "\r"), 1, "text with CR line ends, as on old Macs: convert it"),
    "UTF-32": (TABLES[0], HEADED.encode("utf-32"), 1, "text in UTF-32, which is not read: convert it to UTF-8"),
    "other keys": (BELLE, lines(lambda q, a: {"foo": q, "bar": a}), 3, "the keys are foo, bar"),
    "both": (
        BELLE,
        lines(
            lambda q, a: {**ALPACA(q, a), "conversations": messages("human", "gpt", "from", "value")("别的", "一句")}
        ),
        3,
        "both met, under 'instruction' and 'conversations'",
    ),
    "two answers that differ": (BELLE, lines(lambda q, a: {"question": q, "answer": [a, "嗯"]}), 3, "an array met"),
    "a tool": (
        BELLE,
        lines(lambda q, a: {"messages": [*messages("user", "assistant")(q, a), {"role": "tool", "content": "晴"}]}),
        3,
        "a role 'tool' met",
    ),
    "three speakers": (
        BELLE,
        lines(lambda q, a: {"messages": [*messages("甲", "乙")(q, a), {"role": "丙", "content": "嗯"}]}),
        3,
        "a role '甲' met",
    ),
    "a repeated key": (
        BELLE,
        LINES.replace('"input": ""', '"output": "x"'),
        3,
        "a repeated key: output",
    ),
    "single quotes": (BELLE, "".join(f"{one}\n" for one in LIST), 3, "not a JSON record: Expecting property name"),
    "records as texts": (
        BELLE,
        "".join(wrapped(one) + "\n" for one in LINES.splitlines()),
        3,
        "object expected, a text",
    ),
    "a list of records as texts": (BELLE, wrapped(LINES.splitlines()), 3, "cannot be read: layout 1"),
    "rows below their names": (
        BELLE,
        wrapped([["instruction", "input", "output"], *[[q, "", a] for q, a in PAIRS]]),
        3,
        "names of fields met: rows without names are not read",
    ),
    "half of it broken": (BELLE, LINES + "{x\n" * 4, 3, r"4 of 8 records \(50 %\) cannot be read"),
    "an array that was cut short": (BELLE, ARRAY[:-20], 1, CUT_SHORT),
    "the same, long": (BELLE, LONG[:-20], 1, CUT_SHORT),
    "the same, compressed": (BELLE + ".gz", gzip.compress(LONG[:-20].encode()), 1, CUT_SHORT),
    "the same, in an archive": ("a.zip", zipped(BELLE, LONG[:-20]), 1, CUT_SHORT),
    "a wrapped list in an archive": (
        "a.zip",
        zipped(BELLE, wrapped({"data": LIST * 2000})[:-20]),
        1,
        "a truncated object with lists of records",
    ),
    "history of one text": (BELLE, wrapped({**LIST[0], "history": ["早"]}) + "\n", 3, "under 'history' expected"),
    "Parquet without such columns": ("belle/a.parquet", parquet({"a": [1], "b": ["x"]}), 3, "the keys are a, b"),
    "Parquet in an archive": (
        "belle/a.parquet.gz",
        gzip.compress(parquet({"prompt": QUESTIONS, "response": ANSWERS})),
        1,
        "a Parquet file that is packed or damaged, which is not read: unpack it",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_shape_that_is_not_read_is_named_and_gives_nothing(kind: str, tmp_path: Path) -> None:
    name, content, code, expected = REFUSED[kind]
    done = invoke("-q", "--raw", put(tmp_path / "raw", {name: content}), "--out", tmp_path / "out")
    assert done.exit_code == code
    assert re.search(expected, done.stderr)
    assert rows_of(tmp_path / "out") == []


#: Text that is not read: what is read all the same, and the fields that are named, once a file.
NAMED: dict[str, tuple[str, str, str]] = {
    "a remark": (BELLE, lines(lambda q, a: {**ALPACA(q, a), "备注": "随手写的"}), "'备注' (4 records)"),
    "a thought": (BELLE, array(lambda q, a: {**ALPACA(q, a), "thought": "想一想"}), "'thought' (4 records)"),
    "material": (
        BELLE,
        lines(lambda q, a: {"question": q, "context": "参考资料", "answer": a}),
        "'context' (4 records)",
    ),
    "in a message": (
        BELLE,
        lines(lambda q, a: {"messages": [{**one, "note": "笔记"} for one in messages("user", "bot")(q, a)]}),
        "'messages[].note' (4 records)",
    ),
    "a column": (
        TABLES[0],
        table([("board", *HEADERS[0]), *[("闲聊", *pair) for pair in PAIRS]]),
        "'board' (4 records)",
    ),
}


@pytest.mark.parametrize("kind", NAMED)
def test_text_that_is_not_read_is_named_once_a_file(kind: str, tmp_path: Path) -> None:
    name, content, expected = NAMED[kind]
    done = invoke("-q", "--raw", put(tmp_path / "raw", {name: content}), "--out", tmp_path / "out")
    assert done.exit_code == 0
    assert done.stderr.count("text in these fields is not read:") == 1
    assert f"{name}: text in these fields is not read: {expected}" in done.stderr
    assert rows_of(tmp_path / "out") == PAIRS


def test_a_remark_beside_an_array_costs_itself_and_says_so(tmp_path: Path) -> None:
    for content in (ARRAY + "\nEOF\n", wrapped({"data": LIST, "note": "随手"})):
        done = invoke("-q", "--raw", put(tmp_path / "raw", {BELLE: content}), "--out", tmp_path / "out", "--fresh")
        assert done.exit_code == 0
        assert "5, text between or around the records, which is no record: ]" in done.stderr
        assert rows_of(tmp_path / "out") == PAIRS


def test_parallel_files_may_have_the_ending_of_text(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "stc_weibo_train_post.txt": "".join(f"{q}\n" for q in QUESTIONS),
        "stc_weibo_train_response.txt": "".join(f"{a}\n" for a in ANSWERS),
    }
    assert invoke("-q", "--raw", put(tmp_path / "raw", files), "--out", tmp_path / "out").exit_code == 0
    assert rows_of(tmp_path / "out") == PAIRS


def test_shards_in_a_folder_are_one_corpus(tmp_path: Path) -> None:
    shards = {f"belle/train-0000{n}-of-00003.jsonl": one + "\n" for n, one in enumerate(LINES.splitlines()[:3])}
    done = invoke("-q", "--raw", put(tmp_path / "raw", dict(shards)), "--out", tmp_path / "out")
    assert (done.exit_code, done.stderr, rows_of(tmp_path / "out")) == (0, "", PAIRS[:3])


def test_each_file_has_a_header_of_its_own_or_none(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {f"a/{TABLES[0]}": table(PAIRS), f"b/{TABLES[0]}": table(swapped([HEADERS[0], MORE]))})
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 0
    assert rows_of(tmp_path / "out") == [*PAIRS, MORE]


@pytest.mark.parametrize("first", ["问题\t回答", "用户\t客服", "问\t答"])
def test_words_that_people_say_are_no_header_where_they_say_them_again(first: str, tmp_path: Path) -> None:
    repeated = f"{first}\n{table(PAIRS, chr(9))}{first}\n"
    raw = put(tmp_path / "raw", {"Gossiping-QA-Dataset.txt": repeated, "tieba.dialogues": repeated})
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 0
    pair = tuple(first.split("\t"))
    assert rows_of(tmp_path / "out") == [pair, *PAIRS, pair, *PAIRS, pair]
