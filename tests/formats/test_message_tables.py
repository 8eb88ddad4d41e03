"""Tables of messages: columns, dialogues, gaps, merged speakers, malformed rows; and columns that a user names."""

from __future__ import annotations

import pytest

from chat_corpus.formats.message_tables import message_table, named_pairs
from tests.formats import laws

TIMED = """编号,发送者,内容,时间
1,小明,"在吗,有事",2024-01-01 10:00:00
2,小明,急,2024-01-01 10:00:01
3,小红,在,2024-01-01 10:00:09
4,小红,少一列
5,小明,早,2024-01-02 10:00:09
6,小红,"早""
啊",2024-01-02 10:00:19
"""


def test_sessions_speakers_quotes_and_malformed_rows() -> None:
    reading = laws.read(message_table(), TIMED)
    assert reading.turns == [(2, "在吗,有事\n急"), (4, "在"), (6, "早"), (7, '早"\n啊')]
    assert reading.rejects == [(5, "fields")]
    assert reading.pairs() == [("在吗,有事\n急", "在"), ("早", '早"\n啊')]


def test_a_column_of_dialogues_decides_and_times_do_not() -> None:
    content = "session\tspeaker\ttext\ttime\na\t甲\t问\t1704067200\na\t乙\t答\t1709999999\nb\t甲\t另\t1709999999\n"
    assert laws.read(message_table(), content).pairs() == [("问", "答")]


def test_without_dialogues_and_times_the_file_is_one_dialogue() -> None:
    reading = laws.read(message_table(), "speaker,text\n甲,一\n乙,二\n甲,三\n", shard_bytes=8)
    assert len(reading.frames) == 1
    assert reading.pairs() == [("一", "二"), ("二", "三")]


@pytest.mark.parametrize("stamps", [("1704067200", "1704067260"), ("1704067200000", "1704070900000")])
def test_epochs_in_seconds_and_milliseconds(stamps: tuple[str, str]) -> None:
    content = f"CreateTime,talker,StrContent\n{stamps[0]},甲,问\n{stamps[1]},乙,答\n"
    assert len(laws.read(message_table(), content).pairs()) == (1 if len(stamps[0]) == 10 else 0)


def test_columns_are_named_by_name_or_number() -> None:
    named = message_table((("speaker", "谁"), ("text", "话")))
    assert laws.read(named, "话;谁\n在吗;甲\n在;乙\n").pairs() == [("在吗", "在")]
    numbered = message_table((("speaker", "2"), ("text", "1")))
    assert laws.read(numbered, "在吗;甲\n在;乙\n").pairs() == [("在吗", "在")]
    pairs = named_pairs((("query", "我说"), ("answer", "她说")))
    assert laws.read(pairs, "她说,备注,我说\n在,无,在吗\n").pairs() == [("在吗", "在")]


WECHAT = """localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime,Remark,NickName,Sender
1,2,1,0,1,1704067200,,在吗,2024-01-01 08:00:00,,小明,wxid_a
2,2,10000,0,0,1704067210,,你撤回了一条消息,2024-01-01 08:00:10,,小美,wxid_b
3,2,1,0,0,1704067220,,在,2024-01-01 08:00:20,,小美,wxid_b
4,2,3,0,0,1704067230,,"<msg><img/></msg>",2024-01-01 08:00:30,,小美,wxid_b
5,2,49,5,1,1704067240,,<title>看</title>,2024-01-01 08:00:40,,小明,wxid_a
6,2,1,0,0,1704067250,,看了,2024-01-01 08:00:50,,小美,wxid_b
7,2,1,0,1,1704067260,,[图片],2024-01-01 08:01:00,,小明,wxid_a
"""
WORDS = """类型,发送人,内容,时间
文本,小明,在吗,2024-01-01 10:00:00
系统消息,小美,开启了朋友验证,2024-01-01 10:00:01
引用,小美,在,2024-01-01 10:00:02
动画表情,小美,hash.gif,2024-01-01 10:00:03
文本,系统消息,小美领取了红包,2024-01-01 10:00:04
"""


def test_only_text_messages_of_a_wechat_table_are_turns() -> None:
    reading = laws.read(message_table(), WECHAT)
    assert reading.turns == [(2, "在吗"), (4, "在"), (7, "看了")]
    assert reading.rejects == [(6, "empty"), (8, "empty")]
    assert reading.pairs() == [("在吗", "在")]


def test_types_may_be_words() -> None:
    reading = laws.read(message_table(), WORDS)
    assert (reading.turns, reading.rejects) == ([(2, "在吗"), (4, "在")], [])
    named = message_table((("text", "说"), ("speaker", "谁"), ("type", "种")))
    assert laws.read(named, "谁,说,种\n甲,在吗,1\n乙,在,1\n乙,<xml/>,47\n").turns == [(2, "在吗"), (3, "在")]


def test_numbers_of_other_tables_are_not_types_of_messages() -> None:
    assert laws.read(message_table(), "speaker,text,type\n甲,在吗,3\n乙,在,47\n").pairs() == [("在吗", "在")]


@pytest.mark.parametrize(
    "content",
    [
        "text,type\n在吗,3\n",
        "question,answer\n在吗,在\n",
        "在吗,在\n好,好\n",
        "text\n在吗\n",
        "title,content\n甲,乙\n",
        "",
        "\n\n",
    ],
)
def test_other_tables_are_no_tables_of_messages(content: str) -> None:
    assert not message_table().accepts(content.encode())


def test_a_column_that_is_not_there_is_not_accepted() -> None:
    assert not message_table((("text", "话"), ("speaker", "谁"))).accepts("speaker,text\n甲,在吗\n".encode())
    assert not named_pairs((("query", "3"), ("answer", "1"))).accepts("在吗,在\n".encode())
