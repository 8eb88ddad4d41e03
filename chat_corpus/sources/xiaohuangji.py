"""小黄鸡 (Xiaohuangji): exchanges with the chat bot of the Renren network, plain or word-segmented."""

from chat_corpus.formats.conv import CONV
from chat_corpus.schema import Segmentation, Traits
from chat_corpus.source import Input, Source

SOURCE = Source(
    name="xiaohuangji",
    title="小黄鸡",
    url="https://github.com/candlewill/Dialog_Corpus",
    licence="not stated",
    obtain="unpack xiaohuangji50w_nofenci.conv from Dialog_Corpus into xiaohuangji-40w/",
    inputs=(
        Input(files=("xiaohuangji*_nofenci*.conv",), format=CONV),
        Input(files=("xiaohuangji*.conv",), format=CONV),
    ),
    alternatives=True,
    traits=Traits(segmentation=Segmentation.SLASH),
)
