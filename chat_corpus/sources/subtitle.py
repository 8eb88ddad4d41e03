"""Subtitles of American and British series (dgk_lost_conv), scene by scene; the full file is word-segmented."""

from chat_corpus.formats.conv import CONV
from chat_corpus.schema import Markup, Script, Segmentation, Traits
from chat_corpus.source import Input, Source

SOURCE = Source(
    name="subtitle",
    title="电视剧字幕",
    url="https://github.com/fateleak/dgk_lost_conv",
    licence="not stated",
    obtain="unpack dgk_shooter_min.conv from results/dgk_shooter_min.conv.zip, or the archive that "
    "chinese_chatbot_corpus links to, into subtitle-useless/",
    inputs=(Input(files=("dgk_shooter*.conv", "subtitle*/*.conv", "lost.conv"), format=CONV),),
    traits=Traits(script=Script.MIXED, segmentation=Segmentation.SLASH, markup=frozenset({Markup.SUBTITLE})),
)
