"""Egret BBS: questions about a game engine, each with its best answer."""

from chat_corpus.formats.line_ids import LINE_IDS
from chat_corpus.schema import Traits
from chat_corpus.source import Input, Source

SOURCE = Source(
    name="egret",
    title="白鹭时代问答",
    url="https://github.com/Samurais/egret-wenda-corpus",
    licence="Apache-2.0",
    obtain="copy egret_wenda_lines.txt and egret_wenda_conversations.txt from the repository into egret-wenda/",
    inputs=(Input(files=("egret_wenda_lines*.txt", "egret_wenda_conversations*.txt"), format=LINE_IDS),),
    traits=Traits(structured=True),
)
