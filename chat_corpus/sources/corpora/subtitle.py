"""Subtitles of American and British series (dgk_lost_conv), scene by scene; the full file is word-segmented."""

from chat_corpus.formats.conv import CONV
from chat_corpus.schema import Markup, Script, Segmentation, Traits
from chat_corpus.sources.base import Input, Source
from chat_corpus.sources.origins import FileOrigin, RemoteFile
from chat_corpus.sources.signature import HAN, Rate, Signature

#: Scenes of any length; exchanges with a chat bot have two turns.
_SCENES = (
    Rate(pattern=r"^E[ \t]*\n(?:M .*\n){2}(?=E[ \t]*$)", most=0.7),
    Rate(pattern="^M ", least=2),
    Rate(pattern="^[^EM\n]", most=0.1),
)
_MARK = r"^E[ \t]*$"
#: In segmented files each turn ends with a slash. In others two blanks mark a pause or a change of speakers. Most
#: subsets have neither: they are recognised by the ending .conv, since no other corpus of this layout has scenes.
_SIGNATURES = (
    Signature(record=_MARK, rates=(*_SCENES, Rate(pattern="^M .*[\u4e00-\u9fff]+/$", least=1))),
    Signature(record=_MARK, rates=(*_SCENES, Rate(pattern=r"\S {2,3}\S", least=0.3), Rate(pattern=HAN, least=3))),
    Signature(
        record=_MARK,
        ending=".conv",
        rates=(*_SCENES, Rate(pattern=r"^E[ \t]*\n(?:M .*\n){3}", least=0.3), Rate(pattern=HAN, least=2)),
    ),
)

#: The repository has the whole corpus, a file "min" without text that is hardly dialogue, and files of single sites or
#: series.
_SUBSETS = ("dgk_shooter.conv", "dgk_shooter_[!m]*.conv", "lost*.conv")

SOURCE = Source(
    name="subtitle",
    title="电视剧字幕",
    url="https://github.com/fateleak/dgk_lost_conv",
    licence="MIT (readme)",
    obtain="copy dgk_shooter_min.conv.zip from a copy of the repository, such as "
    "https://github.com/rustch3n/dgk_lost_conv, into subtitle-useless/; it need not be unpacked",
    origins=(
        FileOrigin(
            address="https://raw.githubusercontent.com/rustch3n/dgk_lost_conv/"
            "113ecd57f04fdf971483e0789ff87bbe4bf0d9e0/",
            licence="MIT (readme)",
            files=(
                RemoteFile(
                    name="dgk_shooter_min.conv.zip",
                    path="subtitle-useless/dgk_shooter_min.conv.zip",
                    git_blob="906c73edcc3be15fd2ef6f71066e75ee8f2b0a5b",
                ),
            ),
        ),
    ),
    inputs=(
        Input(
            files=("dgk_shooter*.conv", "subtitle*/*.conv", "lost.conv"),
            format=CONV,
            layout=r"^(?:E\s*$|M\b)",
            signatures=_SIGNATURES,
            many=True,
            siblings=_SUBSETS,
        ),
    ),
    traits=Traits(script=Script.MIXED, segmentation=Segmentation.SLASH, markup=frozenset({Markup.SUBTITLE})),
    plain_editions=True,
)
