"""Which layout a file is found to be in, and the message about one that is in none."""

from __future__ import annotations

import json

import pytest

from chat_corpus.discovery.layout_detection import Detection, detect, sides
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
