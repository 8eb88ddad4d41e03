"""JSON Lines, and arrays in any line layout."""

from __future__ import annotations

import json

import pytest

from chat_corpus.formats.base import RecordError
from chat_corpus.formats.instructions import instruction_turns
from chat_corpus.formats.json_records import json_array, json_lines
from chat_corpus.schema import Reason
from chat_corpus.sources.corpora.belle import SOURCE
from tests.formats.laws import read

LINES, ARRAY = json_lines(instruction_turns), json_array(instruction_turns)
RECORDS = [{"instruction": f"问{n}", "input": "", "output": f'答{n} "}}{{[" \\'} for n in range(5)]
PAIRS = [(record["instruction"], record["output"]) for record in RECORDS]


@pytest.mark.parametrize("indent", [None, 0, 2], ids=["one line", "a line a value", "indented"])
@pytest.mark.parametrize("size", [1, 30, 1000])
def test_an_array_is_read_in_any_line_layout(indent: int | None, size: int) -> None:
    result = read(ARRAY, json.dumps(RECORDS, ensure_ascii=False, indent=indent), shard_bytes=size)
    assert result.pairs() == PAIRS
    assert [line for line, _ in result.turns] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


@pytest.mark.parametrize("mark", ["\u2028", "\u00a0", "\x85", "\x0c", "\ufeff\u3000"])
@pytest.mark.parametrize("begin", ["[", '{"data": ['])
def test_invisible_characters_may_precede_the_first_bracket(mark: str, begin: str) -> None:
    whole = begin + json.dumps(RECORDS, ensure_ascii=False)[1:] + ("}" if begin != "[" else "")
    for content in (mark + whole, mark + "\n".join(json.dumps(one, ensure_ascii=False) for one in RECORDS)):
        fitted = ARRAY.fitted(content.encode())
        assert fitted.read((fitted.split(content.encode(), 1),)).rows["reason"].null_count() >= 8


def test_json_lines_are_read_with_the_number_of_their_line() -> None:
    lines = [json.dumps(RECORDS[0]), "", json.dumps(RECORDS[1], ensure_ascii=False)]
    result = read(LINES, "\r\n".join(lines))
    assert result.pairs() == PAIRS[:2]
    assert result.non_turns == [{2}]
    assert {line for line, _ in result.turns} == {1, 3}


def test_line_separators_inside_a_text_do_not_split_a_record() -> None:
    record = {"instruction": "一\u2028二\x85", "output": "三\u2029"}
    assert read(LINES, json.dumps(record, ensure_ascii=False)).pairs() == [("一\u2028二\x85", "三\u2029")]


@pytest.mark.parametrize(
    ("head", "array"),
    [("[{", True), ("\ufeff \r\n [\n{", True), ("{", False), ('\ufeff{"a": []}', False), ("", False)],
)
def test_a_file_that_begins_with_a_bracket_is_an_array(head: str, array: bool) -> None:
    assert ARRAY.accepts(head.encode()) is array
    assert LINES.accepts(head.encode()) is not array


@pytest.mark.parametrize(
    "record",
    [
        "[" * 100_000,
        '{"instruction": ' * 50_000,
        '{"instruction": "问", "output": "答"',
        "NaN",
        "1" * 5000,
        '{"instruction": "问", "output": null}',
        '{"\\ud800": "孤"}',
        '{"instruction": ["问", "又问"], "output": "答"}',
        "'单引号'",
    ],
    ids=["deep", "deep objects", "cut off", "not a number", "digits", "null", "surrogate key", "list", "quotes"],
)
def test_a_record_of_another_layout_rejects_only_itself(record: str) -> None:
    good = json.dumps(RECORDS[0])
    result = read(LINES, f"{good}\n{record}\n{good}")
    assert result.pairs() == [PAIRS[0]] * 2
    assert result.rejects == [(2, Reason.LAYOUT)]


def test_a_lone_surrogate_is_not_a_character() -> None:
    result = read(
        LINES, '{"instruction": "孤\\ud800", "output": "答"}\n{"instruction": "\\ud83d\\ude00", "output": "笑"}'
    )
    assert result.pairs() == [("😀", "笑")]
    assert result.rejects == [(1, Reason.ENCODING)]


def test_a_bad_byte_rejects_its_record() -> None:
    bad = b'{"instruction": "\xff", "output": "b"}'
    good = json.dumps(RECORDS[0]).encode()
    for format_, content in (
        (LINES, good + b"\n" + bad + b"\n" + good),
        (ARRAY, b"[" + good + b"," + bad + b"," + good),
    ):
        result = read(format_, content)
        assert result.pairs() == [PAIRS[0]] * 2
        assert result.rejects == [(2, Reason.ENCODING)]


def test_an_unclosed_object_is_one_rejected_record() -> None:
    result = read(ARRAY, json.dumps(RECORDS)[:-40], shard_bytes=1)
    assert result.pairs() == PAIRS[:4]
    assert result.rejects == [(5, Reason.LAYOUT)]


def test_a_turn_of_blanks_is_empty() -> None:
    result = read(LINES, '{"instruction": "问", "output": "\\n "}')
    assert result.rejects == [(1, Reason.EMPTY)]
    assert result.used == 1


MORNING = [{"role": "user", "content": "早"}, {"role": "assistant", "content": "好"}]
SHAPES: dict[str, tuple[object, list[str]]] = {
    "alpaca": ({"instruction": "译", "input": "hi", "output": "你好"}, ["译\nhi", "你好"]),
    "empty input": ({"instruction": "译", "input": " ", "output": "你好"}, ["译", "你好"]),
    "no input": ({"instruction": "译", "output": "你好"}, ["译", "你好"]),
    "null input": ({"instruction": "译", "input": None, "output": "你好"}, ["译", "你好"]),
    "merged": ({"input": "译：hi\\n", "target": "你好"}, ["译：hi\\n", "你好"]),
    "output begins with a break": ({"instruction": "数", "output": "\n一\n二"}, ["数", "\n一\n二"]),
    "history": (
        {"instruction": "Human:早\nAssistant:早啊\nHuman:吃什么\nAssistant:", "output": "面"},
        ["早", "早啊", "吃什么", "面"],
    ),
    "history of full width colons": (
        {"instruction": "Human：早\nAssistant：早啊\nHuman：吃什么\nAssistant：\n", "output": "面"},
        ["早", "早啊", "吃什么", "\n面"],
    ),
    "history with breaks in a turn": (
        {"instruction": "Human:写诗\n两行\nAssistant:", "output": "床前\n明月"},
        ["写诗\n两行", "床前\n明月"],
    ),
    "history that ends with a person": (
        {"instruction": "Human:早\nAssistant:好\nHuman:饿", "output": "吃"},
        ["早", "好", "饿", "吃"],
    ),
    "a person who speaks of assistants": (
        {"instruction": "Human:翻译\nAssistant 怎么说", "output": "助手"},
        ["翻译\nAssistant 怎么说", "助手"],
    ),
    "a dialogue of two": (
        {"instruction": "写一段小明和小红谈天气的对话。", "output": "小明：冷吗\n小红：冷\n小明：多穿点"},
        ["冷吗\n", "冷\n", "多穿点"],
    ),
    "a dialogue with a silent turn": (
        {"instruction": "写一段小明和小红谈天气的对话。", "output": "\n小明: 冷吗\n小红: \n小明: 多穿点"},
        [" 冷吗\n", " \n", " 多穿点"],
    ),
    "an answer with two labels": (
        {"instruction": "谈谈优点和缺点。", "output": "优点：轻\n缺点：贵"},
        ["谈谈优点和缺点。", "优点：轻\n缺点：贵"],
    ),
    "an answer that lists": (
        {"instruction": "找出对话里的人名和地名。", "output": "人名：小禾\n人名：小满\n地名：江边"},
        ["找出对话里的人名和地名。", "人名：小禾\n人名：小满\n地名：江边"],
    ),
    "history with blanks before the names": (
        {"instruction": "\nHuman: 早\n Assistant: 好\n Human: 饿\n Assistant: ", "output": "吃"},
        [" 早", " 好", " 饿", " 吃"],
    ),
    "a dialogue of nothing": ({"instruction": "小明和小红的对话", "output": "小明:\n小红:"}, ["\n", ""]),
    "labels that are no speakers": (
        {"instruction": "列出优点和缺点", "output": "优点：好\n缺点：坏\n结论：行"},
        ["列出优点和缺点", "优点：好\n缺点：坏\n结论：行"],
    ),
    "conversation": (
        {"id": "1", "conversations": [{"from": "human", "value": "在？"}, {"from": "assistant", "value": "在"}]},
        ["在？", "在"],
    ),
    "conversation with a system message": (
        {
            "conversations": [
                {"from": "system", "value": "规则"},
                {"from": "user", "value": "在？"},
                {"from": "gpt", "value": "在"},
            ]
        },
        ["在？", "在"],
    ),
    "history, in pairs": (
        {"instruction": "那周日呢", "input": "", "output": "有雨", "history": [["周五呢", "晴"], ["周六呢", "多云"]]},
        ["周五呢", "晴", "周六呢", "多云", "那周日呢", "有雨"],
    ),
    "history, in messages": (
        {
            "query": "饿",
            "response": "吃",
            "history": MORNING,
        },
        ["早", "好", "饿", "吃"],
    ),
    "no history": ({"instruction": "早", "output": "好", "history": []}, ["早", "好"]),
    "null history": ({"instruction": "早", "output": "好", "history": None}, ["早", "好"]),
    "messages": (
        {
            "messages": [
                {"role": "system", "content": "规则"},
                {"role": "user", "content": "早"},
                {"role": "assistant", "content": "好"},
            ]
        },
        ["早", "好"],
    ),
    "a list of messages": (MORNING, ["早", "好"]),
    "both sides in a message": (
        {"conversation": [{"human": "早", "assistant": "好"}, {"human": "饿", "assistant": "吃"}]},
        ["早", "好", "饿", "吃"],
    ),
    "prompt and response": ({"prompt": "早", "response": "好"}, ["早", "好"]),
    "prompt and completion": ({"prompt": "早", "completion": "好"}, ["早", "好"]),
    "question and answer": ({"question": "早", "answer": "好"}, ["早", "好"]),
    "evaluation": ({"question": "早", "std_answer": "好", "class": "open qa"}, ["早", "好"]),
    "seed task": (
        {"instruction": "译", "instances": [{"input": "hi", "output": "你好"}, {"input": "bye", "output": "再见"}]},
        ["译\nhi", "你好", "译\nbye", "再见"],
    ),
}


@pytest.mark.parametrize(("record", "turns"), SHAPES.values(), ids=SHAPES)
def test_each_shape_becomes_its_turns(record: object, turns: list[str]) -> None:
    assert instruction_turns(record) == turns


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        "文",
        1,
        True,
        {},
        {"instruction": "问"},
        {"output": "答"},
        {"input": 1, "target": "答"},
        {"conversations": []},
        {"conversations": {}},
        {"conversations": ["在"]},
        {"conversations": [{"value": "在"}]},
        {"conversations": [{"from": "system", "value": "规则"}]},
        {"conversations": [{"from": "human", "value": 1}]},
        {"instruction": "译", "instances": []},
        {"instruction": "译", "instances": [{"input": "hi"}]},
        {"instances": [{"input": "hi", "output": "你好"}]},
    ],
)
def test_other_shapes_are_rejected_with_a_message(record: object) -> None:
    with pytest.raises(RecordError):
        instruction_turns(record)


@pytest.mark.parametrize("size", [1, 1000])
def test_objects_inside_a_record_of_an_array_are_not_records(size: int) -> None:
    chat = {"id": "1", "conversations": [{"from": "human", "value": "在？}"}, {"from": "gpt", "value": "{在"}]}
    result = read(ARRAY, json.dumps([chat, RECORDS[0], chat]), shard_bytes=size)
    assert result.pairs() == [("在？}", "{在"), PAIRS[0], ("在？}", "{在")]
    assert {line for line, _ in result.turns} == {1, 2, 3}


REFUSED = {
    "a conversation and an exchange": (
        {"instruction": "早", "output": "好", "conversations": [{"from": "human", "value": "饿"}]},
        "both met, under 'instruction' and 'conversations'",
    ),
    "history of one text": (
        {"instruction": "早", "output": "好", "history": "饿"},
        "exchanges under 'history' expected",
    ),
    "history of three": ({"instruction": "早", "output": "好", "history": [["a", "b", "c"]]}, "under 'history'"),
    "history of numbers": ({"instruction": "早", "output": "好", "history": [[1, 2]]}, "under 'history'|a text"),
    "history without role": ({"instruction": "早", "output": "好", "history": [{"x": "y"}]}, "a text under 'from'"),
    "columns": ({"question": ["早", "饿"], "answer": ["好", "吃"]}, "a text under 'question' expected, an array met"),
    "an empty conversation": ({"conversations": []}, "a conversation without turns"),
}


@pytest.mark.parametrize(("record", "message"), REFUSED.values(), ids=REFUSED)
def test_unread_fields_are_named(record: object, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        instruction_turns(record)


ONE, TWO = '{"instruction": "早", "output": "好"}', '{"instruction": "饿", "output": "吃"}'
LIST = json.dumps(MORNING, ensure_ascii=False)
OTHER = '[{"from": "human", "value": "饿"}, {"from": "gpt", "value": "吃"}]'
FILES = {
    "a comma behind each line": f"{ONE},\n{TWO},\n",
    "objects over lines": f"{ONE}\n{TWO}\n".replace(", ", ",\n").replace("{", "{\n").replace("}", "\n}"),
    "a wrapper": f'{{"data": [{ONE}, {TWO}]}}',
    "a wrapper over lines": f'{{\n "train": [\n  {ONE},\n  {TWO}\n ]\n}}\n',
    "several lists": f'{{"train": [{ONE}], "valid": [{TWO}]}}',
    "an array of message lists": f"[{LIST}, {OTHER}]",
    "message lists a line": f"{LIST}\n{OTHER}\n",
    "not a number": '{"instruction": "早", "output": "好", "score": NaN}\n' + TWO,
}


@pytest.mark.parametrize("size", [1, 30, 1000])
@pytest.mark.parametrize("name", FILES)
def test_common_deviations_from_json_are_read(name: str, size: int) -> None:
    content = FILES[name]
    formats = [source.format for source in SOURCE.inputs if source.format.accepts(content.encode())]
    assert len(formats) == 1
    result = read(formats[0], content, shard_bytes=size)
    assert result.pairs() == [("早", "好"), ("饿", "吃")]
    assert result.rejects == []


def test_raw_tabs_and_breaks_inside_a_text_are_read() -> None:
    assert read(LINES, '{"instruction": "名\t数", "output": "好"}').pairs() == [("名\t数", "好")]
    assert read(ARRAY, '[{"instruction": "一\n二", "output": "好"}]').pairs() == [("一\n二", "好")]


@pytest.mark.parametrize(
    ("begin", "end", "fault"),
    [
        ('[{"a": 1},', '{"a": 2}]\n', False),
        ('[{"a": 1},', '{"a": 2}', True),
        ('[{"a": 1},', '{"a": "x', True),
        ('{"data": [{"a": 1},', '{"a": 2}]}', False),
        ('{"data": [{"a": 1},', '{"a": 2},', True),
        ('{\n"a": 1\n}\n', '{\n"a": 2\n}', False),
    ],
)
def test_an_array_without_end_is_truncated(begin: str, end: str, fault: bool) -> None:
    format_ = ARRAY.fitted(begin.encode())
    assert bool(format_.fault_at_end and format_.fault_at_end(end.encode())) is fault


@pytest.mark.usefixtures("never_hangs")
@pytest.mark.parametrize("unit", ['\\"', '"', '{"a":', '"a",', '"a":"b",', '["a"]', '{"a":["b",', '{"a":1,}', "[1,"])
@pytest.mark.parametrize("begin", ["", "[", '{"a": "', '[{"instruction":"', '{"data":['])
def test_other_content_takes_linear_time(unit: str, begin: str) -> None:
    """Including an odd number of backslashes."""
    content = (begin + unit * 60_000)[:60_001]
    (format_,) = (candidate for candidate in (LINES, ARRAY) if candidate.accepts(content.encode()))
    fitted = format_.fitted(content.encode())
    assert fitted.read((fitted.split(content.encode(), 1),)).rows["reason"].is_not_null().any()


@pytest.mark.parametrize(
    ("record", "turns"),
    [
        ({"instruction": "Human:甲\nHuman:乙\nAssistant:", "input": "", "output": "丙"}, ["甲\n乙", "丙"]),
        ({"instruction": "Human:甲\nHuman:乙", "input": "", "output": "丙"}, ["甲\n乙", "丙"]),
        (
            {"instruction": "Human:甲\nAssistant:乙\nAssistant:丙\nHuman:丁\nAssistant:", "input": "", "output": "戊"},
            ["甲", "乙\n丙", "丁", "戊"],
        ),
        ({"instruction": "Human:甲\nAssistant:乙\nAssistant:", "input": "", "output": "丙"}, ["甲", "乙\n丙"]),
    ],
)
def test_marked_turns_of_one_speaker_are_one(record: dict[str, str], turns: list[str]) -> None:
    assert instruction_turns(record) == turns
