"""Strategies that invent files: plausible files of each layout, with damage as in real files, and random bytes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

_ODD = ["E", "M", '"', '""', ",", "|", " | ", "\u2028", "\x85", "\v", "\f", " ", "\u3000", "\0"]
_ODD += ["\ufffd", "24/7", "\ue000"]
WORDS = st.sampled_from(["你好", "在吗", "嗯", "ok", "😀", "我 想", *_ODD])
TEXTS = st.lists(WORDS, max_size=4).map("".join)
FEW = st.sampled_from(["甲", "乙", "丙", "", " ", "甲乙"])
_ENDS = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\r\r\n", b"\n\n"])
_INSERTED = [b"\r", b"\n", b"\0", b"\t", b'"', b"'", b"[", b"]", b"{", b"}", b"<", b">", b"&", b"*", b"!", b":", b"\\"]
_INSERTED += [
    b"-",
    b"#",
    b"\xff",
    b"\xe4\xbd",
    b"\xef\xbb\xbf",
    "\u2028".encode(),
    b"\x85",
    b" ",
    b"\nE\n",
    b"\n\n",
    b"\\ud800",
]


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Content with up to three deletions or insertions."""
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        if draw(st.booleans()):
            content = content[:at] + draw(st.sampled_from(_INSERTED)) + content[at:]
        else:
            content = content[:at] + content[at + draw(st.integers(1, 3)) :]
    return content


@st.composite
def files(draw: st.DrawFn, lines: st.SearchStrategy[str], first: str = "") -> bytes:
    """A file of lines below a first one, with mixed line ends; or a damaged file; or random bytes."""
    kind = draw(st.sampled_from(["sound", "sound", "damaged", "damaged", "bytes"]))
    if kind == "bytes":
        return draw(st.binary(max_size=60))
    content = first.encode()
    for line in draw(st.lists(lines, max_size=14)):
        content += line.encode() + draw(_ENDS)
    if draw(st.booleans()):
        content = content.removesuffix(b"\n")
    return draw(damaged(content)) if kind == "damaged" else content


def _joined(*parts: st.SearchStrategy[str] | str) -> st.SearchStrategy[str]:
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts)).map("".join)


CONV = files(
    st.one_of(st.just("E"), st.sampled_from(["E", "E ", "", "M"]), _joined("M ", TEXTS), _joined("M ", FEW), TEXTS)
)
TABBED = files(st.one_of(_joined(TEXTS, "\t", TEXTS), st.lists(TEXTS, max_size=4).map("\t".join)))
BARRED = files(st.one_of(_joined(TEXTS, " | ", TEXTS), TEXTS))
CHAINED = files(st.one_of(_joined(FEW, "\t", FEW), _joined(FEW, "\t", FEW), TEXTS))
LABELLED = files(
    st.one_of(
        _joined(st.sampled_from("0101012"), "\t", st.lists(FEW, min_size=1, max_size=3).map("\t".join), "\t", FEW),
        _joined(st.sampled_from("01"), "\t", st.sampled_from(["甲", "甲\t乙"]), "\t", FEW),
        TEXTS,
    )
)
SIDE = files(TEXTS)
_QUOTED = st.lists(st.one_of(WORDS, st.sampled_from(["\n", '"'])), max_size=4).map(
    lambda words: '"' + "".join(words).replace('"', '""') + '"'
)
_FIELD = st.one_of(TEXTS, _QUOTED, _QUOTED)
QUOTED = st.one_of(
    files(st.one_of(_joined(_FIELD, ",", _FIELD), TEXTS)),
    files(_joined(_FIELD, ",", _FIELD), "question,answer\r\n"),
)

_CLOCKS = st.sampled_from(
    [
        "2024-01-01 08:00:00",
        "2024-01-01 08:00:30",
        "2024-01-01 12:00",
        "2024-02-30 08:00:00",
        "2024/1/2 下午8:01",
        "8:00",
    ]
)
_NAMES_OF_SPEAKERS = st.sampled_from(["小明", "小红", "阿强(10001)", "a: b", ""])
CHATS = st.one_of(
    files(st.one_of(_joined(_CLOCKS, " ", _NAMES_OF_SPEAKERS, ": ", TEXTS), TEXTS, st.just("[图片]"))),
    files(st.one_of(_joined("[", _CLOCKS, "] ", _NAMES_OF_SPEAKERS, ": ", TEXTS), TEXTS, st.just("<Media omitted>"))),
    files(st.one_of(_joined(_CLOCKS, " ", _NAMES_OF_SPEAKERS), TEXTS, st.sampled_from(["", "=====", "[图片]"]))),
    files(st.one_of(_joined(_NAMES_OF_SPEAKERS, " ", _CLOCKS), TEXTS, st.just(""))),
    files(st.one_of(_joined(_CLOCKS, "\t", _NAMES_OF_SPEAKERS, "\t", TEXTS), TEXTS)),
    files(st.one_of(_joined("[", _CLOCKS, "] ", _NAMES_OF_SPEAKERS), TEXTS, st.just(""))),
    files(st.one_of(_joined(_NAMES_OF_SPEAKERS, "(", _CLOCKS, ")：", TEXTS), TEXTS)),
)
LINE_CHATS = files(
    st.one_of(
        _joined(
            st.sampled_from(["08:00", "上午9:30", "23:59", "8:61", "10:30 PM"]), "\t", _NAMES_OF_SPEAKERS, "\t", TEXTS
        ),
        st.sampled_from(
            ["2024/01/01(一)", "2024/01/02（二）", "Wed, 1/3/2024", "2024/13/01(一)", "", "8:00\t小明收回訊息"]
        ),
        TEXTS,
    ),
    "[LINE] 與小紅的聊天記錄\n2024/01/01(一)\n08:00\t小明\t在\n",
)
BLANK_LINES = files(st.one_of(TEXTS, TEXTS, st.sampled_from(["", "", " ", "\u3000"])))
_CUE = st.sampled_from(
    [
        "00:00:01,000 --> 00:00:02,000", "00:00:03,000 --> 00:00:04,000", "00:00:40,000 --> 00:00:41,000",
        "00:01:00.5 --> 00:01:01.5 X1:1", "00:01:02 -> 00:01:03", "9:9:9,9 --> 9:9:9,9",
    ]
)  # fmt: skip
SUBRIP = files(
    st.one_of(
        _joined(st.sampled_from(["", "1\n", "\n2\n", "注\n"]), _CUE),
        _joined(st.sampled_from(["", "- ", "-", "{\\an8}-", "——"]), TEXTS),
        st.sampled_from(["", "1963", "- 在吗 - 在", "NOTE 注", "WEBVTT"]),
    ),
    "1\n",
)
_EVENT_TIME = st.sampled_from(["0:00:01.00", "0:00:03.00", "0:00:40.00", "x"])
SUBSTATION = files(
    st.one_of(
        _joined(
            *("Dialogue: 0,", _EVENT_TIME, ",", _EVENT_TIME, ",Default,,0,0,0,,"),
            *(st.sampled_from(["", "- ", "{\\p1}"]), TEXTS, st.sampled_from(["", "\\N- 在", "\\N好"])),
        ),
        st.sampled_from(["Comment: 0,0:00:01.00", "Dialogue: ", "[Fonts]", ""]),
        TEXTS,
    ),
    "[Script Info]\n",
)  # fmt: skip
_DIALOGUES = st.sampled_from(["1", "1", "2", ""])
MESSAGES = st.one_of(
    files(_joined(_DIALOGUES, ",", _NAMES_OF_SPEAKERS, ",", _FIELD), "dialogue,speaker,text\n"),
    files(_joined(_CLOCKS, "\t", _NAMES_OF_SPEAKERS, "\t", TEXTS), "time\tspeaker\ttext\n"),
    files(_joined(_NAMES_OF_SPEAKERS, ",", _FIELD), "speaker,text\n"),
)

_VALUES: st.SearchStrategy[Any] = st.one_of(TEXTS, TEXTS, st.none(), st.integers(), st.lists(TEXTS, max_size=2))
_KEYS = st.sampled_from(["instruction", "input", "output", "target", "instances", "conversations", "\ud800", "{"])
_NAMES = st.sampled_from(["Human:", "\nHuman:", "\nAssistant:", "\nAssistant：", "小明: ", "\n小红：", "\nAssistant"])
_CHAT = st.lists(st.one_of(_NAMES, TEXTS, st.just("小明和小红")), max_size=6).map("".join)
_MESSAGE = st.fixed_dictionaries({"from": st.sampled_from(["human", "gpt", "system"]), "value": TEXTS})
RECORDS: st.SearchStrategy[Any] = st.one_of(
    st.fixed_dictionaries({"instruction": _CHAT, "input": st.sampled_from(["", "甲"]), "output": _CHAT}),
    st.fixed_dictionaries({"input": _CHAT, "target": _CHAT}),
    st.fixed_dictionaries({"conversations": st.lists(_MESSAGE, max_size=4)}),
    st.fixed_dictionaries(
        {"instruction": TEXTS, "instances": st.lists(st.just({"input": "", "output": "好"}), max_size=2)}
    ),
    st.dictionaries(_KEYS, _VALUES, max_size=3),
    _VALUES,
)
JSON_LINES = files(
    st.one_of(
        st.builds(json.dumps, RECORDS), RECORDS.map(lambda value: json.dumps(value).encode().decode("utf-8")), FEW
    )
)


@st.composite
def _array(draw: st.DrawFn) -> bytes:
    records = draw(st.lists(RECORDS, max_size=6))
    indent = draw(st.sampled_from([None, 1, 4]))
    text = json.dumps(records, ensure_ascii=draw(st.booleans()), indent=indent)
    content = text.encode("utf-8", errors="replace") + draw(st.sampled_from([b"", b"\n"]))
    return draw(damaged(content)) if draw(st.booleans()) else content


_MESSAGES_OF_CHATS = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["message", "service"]),
            "date": st.sampled_from(["2024-01-01T08:00:00", "2024-01-01T08:00:30", "2024-01-01T12:00:00", "x"]),
            "from": st.sampled_from(["小明", "小红"]),
            "text": st.one_of(TEXTS, st.just(""), st.lists(TEXTS, max_size=2), st.none()),
        }
    ),
    st.fixed_dictionaries({"id": st.integers()}),
)


@st.composite
def _chat(draw: st.DrawFn) -> bytes:
    messages = draw(st.lists(_MESSAGES_OF_CHATS, min_size=1, max_size=8))
    value = {"name": "小红", "messages": messages} if draw(st.booleans()) else messages
    text = json.dumps(value, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    content = text.encode("utf-8", errors="replace")
    return draw(damaged(content)) if draw(st.booleans()) else content


JSON_CHATS = _chat()
CHAT_LINES = files(st.one_of(_MESSAGES_OF_CHATS.map(json.dumps), FEW))
JSON_ARRAY = st.one_of(_array(), _array(), st.binary(max_size=60))
XML = files(
    st.one_of(
        _joined('<message id="1"><text>', TEXTS, "</text></message>"),
        _joined("<message>\n<text>", FEW, "&#13;&lt;</text>\n", TEXTS, "</message>"),
        st.sampled_from(["</corpus>", "<message/>", "<message ><text>&a;</text></message>", "<messages>", ""]),
    ),
    '<?xml version="1.0"?><corpus>\n',
)
_ITEM = st.sampled_from(
    ["甲", "'1963'", '"「嗯。」"', "他说: 好", "yes", "", "&a 乙", "*a", "!!python/none x", "{a: b}", "|", "[甲, 乙]"]
)
YAML = st.one_of(
    files(st.one_of(_joined("- - ", _ITEM), _joined("  - ", _ITEM), TEXTS), "categories:\n- 闲聊\nconversations:\n"),
    files(st.one_of(_joined("  - - ", _ITEM), _joined("    - ", _ITEM), _joined("      ", FEW)), "conversations:\n"),
)
_ID = st.sampled_from(["1", "2", "3", "4", "07", "１", "99999999999999999999"])
ID_LINES = files(st.one_of(_joined(_ID, " +++$+++ ", FEW, " +++$+++ ", TEXTS), _joined(_ID, " +++$+++ ", FEW), TEXTS))
ID_LISTS = files(
    st.one_of(_joined("1 +++$+++ 甲 +++$+++ 乙 +++$+++ [", st.lists(_ID, max_size=4).map(", ".join), "]"), TEXTS)
)
