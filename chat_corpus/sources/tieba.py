"""Baidu Tieba: replies in forum threads, flattened into pairs that this source puts together again."""

from chat_corpus.formats.chained import CHAINED
from chat_corpus.schema import Markup, Traits
from chat_corpus.source import Input, Source

SOURCE = Source(
    name="tieba",
    title="百度贴吧",
    url="https://github.com/codemayq/chinese_chatbot_corpus",
    licence="not stated",
    obtain="part of the archive that chinese_chatbot_corpus links to; unpack it into tieba-305w/",
    inputs=(Input(files=("tieba*.dialogues", "tieba*/*.dialogues"), format=CHAINED),),
    traits=Traits(markup=frozenset({Markup.FORUM})),
)
