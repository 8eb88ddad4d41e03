"""Egret BBS: questions about a game engine, each with its best answer."""

from chat_corpus.formats.cornell import LINE_IDS
from chat_corpus.schema import Markup, Traits
from chat_corpus.sources.base import Input, Source
from chat_corpus.sources.origins import FileOrigin, RemoteFile
from chat_corpus.sources.signature import HAN, Rate, Signature

_MARK = r"\+\+\+\$\+\+\+"
_LINES = Signature(
    rates=(
        Rate(pattern=f"^[0-9]+ {_MARK} [^+\n]* {_MARK}", least=0.2),
        Rate(pattern=rf"{_MARK} \[[0-9, ]+\]$", most=0.05),
        Rate(pattern="(?i)egret|白鹭|exml|(?<![a-z])eui", least=0.02),
        Rate(pattern=HAN, least=0.3),
    ),
)
_CONVERSATIONS = Signature(
    rates=(Rate(pattern=r"//bbs\.egret\.com/", least=0.5), Rate(pattern=rf"{_MARK} \[[0-9, ]+\]", least=0.5)),
    file_index=1,
)

SOURCE = Source(
    name="egret",
    title="白鹭时代问答",
    url="https://github.com/Samurais/egret-wenda-corpus",
    licence="Apache-2.0",
    obtain="copy egret_wenda_lines.txt and egret_wenda_conversations.txt from the repository into egret-wenda/",
    origins=(
        FileOrigin(
            address="https://raw.githubusercontent.com/Samurais/egret-wenda-corpus/"
            "3286b0db8c3450db5f9637e204a6643a449e7a55/",
            licence="Apache-2.0",
            files=(
                RemoteFile(
                    name="egret_wenda_lines.txt",
                    path="egret-wenda/egret_wenda_lines.txt",
                    bytes=539_075,
                    git_blob="fcb2e1605d73b004ebf7ed7f46c870bc8a477489",
                ),
                RemoteFile(
                    name="egret_wenda_conversations.txt",
                    path="egret-wenda/egret_wenda_conversations.txt",
                    bytes=394_747,
                    git_blob="07ea6dfba77d10c4eb69dee2cee18f242cc67f15",
                ),
            ),
        ),
    ),
    inputs=(
        Input(
            files=("egret_wenda_lines*.txt", "egret_wenda_conversations*.txt"),
            format=LINE_IDS,
            layout=_MARK,
            signatures=(_LINES, _CONVERSATIONS),
            siblings=("*_raw.txt", "*raw*/*"),
        ),
    ),
    no_answer=frozenset({"null"}),
    traits=Traits(structured=True, markup=frozenset({Markup.BBCODE, Markup.HYPHEN})),
)
