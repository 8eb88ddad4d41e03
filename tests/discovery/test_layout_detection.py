"""Which layout a file is found to be in, and the message about one that is in none."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from chat_corpus.discovery.layout_detection import Detection, detect, detect_as, sides
from chat_corpus.discovery.trial import readable_texts, trial
from chat_corpus.formats.layouts import by_name
from chat_corpus.schema import Pairing

RECORD = {"messages": [{"role": "user", "content": "在吗"}, {"role": "assistant", "content": "在"}]}
FOUND: dict[str, tuple[str, str, Pairing]] = {
    "messages": (json.dumps(RECORD), "json", Pairing.EXCHANGE),
    "sharegpt": (
        '[{"conversations": [{"from": "human", "value": "在吗"}, {"from": "gpt", "value": "在"}]}]',
        "json",
        Pairing.EXCHANGE,
    ),
    "trl": (
        json.dumps({"prompt": RECORD["messages"][:1], "completion": RECORD["messages"][1:]}),
        "json",
        Pairing.EXCHANGE,
    ),
    "parlai": ('{"dialog": [[{"id": "a", "text": "在吗"}, {"id": "b", "text": "在"}]]}', "json", Pairing.ADJACENT),
    "alpaca": ('{"instruction": "问", "input": "", "output": "答"}', "json", Pairing.EXCHANGE),
    "completion": ('{"prompt": "问", "completion": "答"}', "json", Pairing.EXCHANGE),
    "response": ('{"query": "问", "response": "答", "history": [["一", "二"]]}', "json", Pairing.EXCHANGE),
    "lists": ('["在吗", "在", "好"]\n["早", "早"]\n', "json", Pairing.ADJACENT),
    "lccc": ('{"train": [["在 吗", "在"], ["早", "早 啊"]], "valid": [["好", "嗯"]]}', "json", Pairing.ADJACENT),
    "firefly": ('{"conversation": [{"human": "在吗", "assistant": "在"}]}', "json", Pairing.EXCHANGE),
    "two people": (
        json.dumps({"messages": [{"speaker": who, "text": f"{who}说"} for who in "甲乙甲"]}),
        "json",
        Pairing.ADJACENT,
    ),
    "belle": (
        json.dumps({"instruction": "Human:一\nAssistant:二\nHuman:三\nAssistant:", "input": "", "output": "四"}),
        "json",
        Pairing.EXCHANGE,
    ),
    "group": (
        json.dumps({"dialog": [{"speaker": who, "text": f"{who}说"} for who in "甲乙丙"]}),
        "json",
        Pairing.ADJACENT,
    ),
    "dialog": ('{"dialog": ["在吗", "在"]}', "json", Pairing.ADJACENT),
    "csv": ("question,answer\n在吗,在\n", "table", Pairing.ADJACENT),
    "csv without header": ("在吗,在\n几点,五点\n好,嗯\n", "table", Pairing.ADJACENT),
    "tsv": ("在吗\t在\n几点\t五点\n好\t嗯\n", "table", Pairing.ADJACENT),
    "messages in a table": ("time,speaker,text\n2024-01-01,甲,在吗\n", "table", Pairing.ADJACENT),
    "blank lines": ("在吗\n在\n\n你好，早\n早，好\n", "blank-lines", Pairing.ADJACENT),
    "conv": ("E\nM 在吗\nM 在\nE\nM 好\n", "conv", Pairing.ADJACENT),
    "srt": ("1\n00:00:01,000 --> 00:00:02,000\n在吗\n", "subtitles", Pairing.ADJACENT),
    "ass": (
        "[Script Info]\n\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,D,,0,0,0,,在吗\n",
        "subtitles",
        Pairing.ADJACENT,
    ),
    "whatsapp": ("[31/12/2023, 21:15:33] 甲: 在吗\n[31/12/2023, 21:15:40] 乙: 在\n", "chat-export", Pairing.ADJACENT),
    "line": ("2026/11/29(日)\n10:30\t甲\t在吗\n10:31\t乙\t在\n", "chat-export", Pairing.ADJACENT),
    "telegram": (
        '{"messages": [{"type": "message", "date": "2026-11-29T10:30:15", "from": "甲", "text": "在吗"}]}',
        "chat-export",
        Pairing.ADJACENT,
    ),
    "columns": ('{"question": ["在吗", "几点"], "answer": ["在", "五点"]}', "json", Pairing.ADJACENT),
    "eight objects that are no records": ('{"坏": 1}\n' * 8 + json.dumps(RECORD), "json", Pairing.EXCHANGE),
    "a record longer than the head": (
        json.dumps({"messages": [*RECORD["messages"], {"role": "user", "content": "长" * 20_000}]})[: 1 << 16],
        "json",
        Pairing.EXCHANGE,
    ),
    "qq": ("2023-12-31 21:15:33 甲(1)\n在吗\n\n2023-12-31 21:15:40 乙(2)\n在\n", "chat-export", Pairing.ADJACENT),
}
TELEGRAM = {"type": "message", "date": "2026-11-29T10:30:15", "from": "甲", "text": "在吗"}
SEEN = {
    "prose": ("从前有座山。\n山里有座庙。\n", "2 lines of text"),
    "blanks": (" \n\n", "nothing but blanks"),
    "all chats of Telegram": (
        json.dumps({"chats": {"list": [{"type": "personal_chat", "id": 1, "messages": [TELEGRAM] * 3}]}}, indent=1),
        "an export of several chats of Telegram",
    ),
    "json": ('{"a": 1}\n{"a": 2}\n', "JSON, but not of a known shape"),
}


@pytest.mark.parametrize("name", FOUND)
def test_a_layout_is_found_from_the_content(name: str) -> None:
    content, layout, pairing = FOUND[name]
    found = detect(content.encode())
    assert isinstance(found, Detection), found
    assert (found.layout.name, found.pairing) == (layout, pairing)


@pytest.mark.parametrize("name", FOUND)
def test_a_named_layout_is_judged_from_the_content_as_a_found_one(name: str) -> None:
    content, layout, _ = FOUND[name]
    assert detect_as(by_name()[layout], content.encode()) == detect(content.encode())


def test_a_named_layout_with_different_content_is_as_named() -> None:
    content = FOUND["blank lines"][0].encode()
    assert str(detect_as(by_name()["chat-export"], content).evidence) == "as named"


#: Values in JSON Lines, and texts that break one of them.
LINES = {
    "messages": json.dumps(RECORD, ensure_ascii=False),
    "conversations": '{"conversations": [{"from": "human", "value": "在吗"}, {"from": "gpt", "value": "在"}]}',
    "instructions": '{"instruction": "在吗", "input": "", "output": "在"}',
    "lists": '["在吗", "在", "好"]',
    "pairs": '{"query": "在吗", "response": "在", "history": []}',
    "chat": json.dumps(TELEGRAM, ensure_ascii=False),
}
BROKEN: dict[str, Callable[[str], str]] = {
    "cut": lambda line: line[: line.index("在")],
    "not closed": lambda line: line[:-1],
    "end only": lambda line: line[line.index("在") :],
    "text": lambda _: "断行",
}
FRAMES = {"plain": "{}", "BOM": "\ufeff{}", "blank lines": "\n\n{}"}


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("name", LINES)
def test_a_broken_line_costs_one_record_in_any_place(name: str, broken: str, frame: str) -> None:
    line, sound = LINES[name], detect("\n".join([LINES[name]] * 9).encode())
    assert isinstance(sound, Detection)
    for places in ({0}, {2}, {8}, {0, 1, 2}, {1, 3, 7}):
        lines = [BROKEN[broken](line) if place in places else line for place in range(9)]
        head = FRAMES[frame].format(("\n\n" if frame == "blank lines" else "\n").join(lines)).encode()
        assert detect(head) == sound == detect_as(sound.layout, head)
        format_ = next(one for one in sound.layout.formats((), 0) if one.accepts(head))
        tried = trial(format_, head)
        assert tried is not None
        assert tried[0].rejected == len(places)


def test_a_broken_line_beside_a_text_over_two_lines_does_not_take_the_records_below() -> None:
    line = LINES["messages"]
    head = "\n".join([line, line.replace("吗", "\n吗"), BROKEN["cut"](line), *[line] * 9]).encode()
    sound = detect(head)
    assert isinstance(sound, Detection)
    format_ = next(one for one in sound.layout.formats((), 0) if one.accepts(head))
    texts = readable_texts(format_, head)
    assert texts is not None
    assert texts.to_list().count("在吗") == 10


#: Headers of tables of messages, with time, speaker, text and type.
HEADERS = ("时间/发送者/内容/类型", "時間/發送者/內容/類型", "傳送時間/暱稱/訊息內容/類型", "time/sender/content/type")


@pytest.mark.parametrize("above", ["", "sep={}\n", "聊天记录\n"], ids=["header", "separator", "title"])
@pytest.mark.parametrize("separator", [",", "\t", ";", "|"], ids=["comma", "tab", "semicolon", "bar"])
@pytest.mark.parametrize("header", HEADERS)
def test_a_known_header_wins_over_lines_that_look_like_a_chat(header: str, separator: str, above: str) -> None:
    rows = [header.split("/"), ["坏行"]]
    rows += [[f"2024-01-01 10:{n:02d}:00", "甲乙"[n % 2], f"问题{n}", "文本"] for n in range(9)]
    for order in ((0, 1, 2, 3), (1, 2, 0, 3), (3, 0, 1, 2)):
        lines = [separator.join(row[place] for place in order if place < len(row)) for row in rows]
        head = (above.format(separator) + "\n".join(lines)).encode()
        found = detect(head)
        assert isinstance(found, Detection)
        assert found == detect_as(by_name()["table"], head)
        format_ = next(one for one in found.layout.formats((), 0) if one.accepts(head))
        texts = readable_texts(format_, head)
        assert texts is not None
        assert texts.drop_nulls().to_list() == [f"问题{n}" for n in range(9)]


def test_a_row_that_has_names_of_columns_is_no_header() -> None:
    found = detect(("在吗,在\n消息,用户\n" + "好,嗯\n" * 9).encode())
    assert isinstance(found, Detection)
    assert str(found.evidence) == "two fields in each line"


@pytest.mark.parametrize("name", SEEN)
def test_what_is_seen_of_a_file_of_no_layout_is_reported(name: str) -> None:
    content, expected = SEEN[name]
    assert expected in str(detect(content.encode()))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["stc_post.txt", "stc_response.txt"], (0, 1)),
        (["train.tgt", "train.src"], (1, 0)),
        (["a.txt", "b.txt"], None),
        (["q1.txt", "a2.txt"], None),
        (["src.txt"], None),
    ],
)
def test_names_say_which_of_two_files_has_the_queries(names: list[str], expected: object) -> None:
    assert sides(names) == expected
