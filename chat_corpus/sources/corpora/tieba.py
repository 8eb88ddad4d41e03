"""Baidu Tieba: replies in forum threads, flattened into pairs that this source joins to threads again."""

from chat_corpus.formats.reply_chains import CHAINED
from chat_corpus.schema import Markup, Traits
from chat_corpus.sources.base import Input, Source, question_answer_inputs
from chat_corpus.sources.signature import ONE_TAB, TRADITIONAL, Rate, Signature

#: Answers that are the question of the next line, and words of Baidu's forums.
_SIGNATURE = Signature(
    rates=(
        Rate(pattern=ONE_TAB, least=0.9),
        Rate(pattern=r"\t([^\t\n]+)\n(?=\1\t)", least=0.4),
        Rate(pattern=r"楼主|贴吧|吧主|\blz\b|回复 \S+ ?[:：]", least=0.01),
        Rate(pattern=TRADITIONAL, most=0.2),
    ),
)

SOURCE = Source(
    name="tieba",
    title="百度贴吧",
    url="https://github.com/codemayq/chinese_chatbot_corpus",
    licence="not stated",
    obtain="open the Google Drive or Baidu link in the README of chinese_chatbot_corpus, save the archive, and unpack "
    "its folder tieba-305w into the raw folder",
    inputs=(
        Input(
            files=("tieba*.dialogues", "tieba*/*.dialogues"), format=CHAINED, layout=ONE_TAB, signatures=(_SIGNATURE,)
        ),
        *question_answer_inputs("tieba*", ("csv",)),
    ),
    traits=Traits(markup=frozenset({Markup.FORUM})),
)
