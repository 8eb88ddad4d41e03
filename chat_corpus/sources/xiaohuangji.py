"""小黄鸡 (Xiaohuangji): exchanges with the chat bot of the Renren network, plain or word-segmented."""

from chat_corpus.formats.conv import CONV
from chat_corpus.schema import Segmentation, Traits
from chat_corpus.signature import Rate, Signature
from chat_corpus.source import Input, Source

_LAYOUT = r"^(?:E\s*$|M\b)"
_MARK = r"^E[ \t]*$"
#: Exchanges with a bot that people call 小黄鸡, 小鸡 and worse: not any that are about chicken.
_CALLED = r"(?:你|我|就)/?是[^\n]{0,6}鸡|小/?[\u4e00-\u9fff]?/?鸡|^M 鸡+/?[。！？!?]*$"
_EXCHANGES = (
    Rate(pattern=r"^E[ \t]*\n(?:M .*\n){2}(?=E[ \t]*$)", least=0.9),
    Rate(pattern=_CALLED, least=0.01),
)
_SEGMENTED = "[\u4e00-\u9fff]/[\u4e00-\u9fff]"
_PLAIN = Signature(record=_MARK, rates=(*_EXCHANGES, Rate(pattern=_SEGMENTED, most=0.2)))
_FENCI = Signature(record=_MARK, rates=(*_EXCHANGES, Rate(pattern=_SEGMENTED, least=0.5)))

SOURCE = Source(
    name="xiaohuangji",
    title="小黄鸡",
    url="https://github.com/candlewill/Dialog_Corpus",
    licence="not stated",
    obtain="unpack xiaohuangji50w_nofenci.conv from Dialog_Corpus into xiaohuangji-40w/",
    inputs=(
        Input(files=("xiaohuangji*_nofenci*.conv",), format=CONV, layout=_LAYOUT, signatures=(_PLAIN,)),
        Input(files=("xiaohuangji*.conv",), format=CONV, layout=_LAYOUT, signatures=(_FENCI,)),
    ),
    alternatives=True,
    traits=Traits(segmentation=Segmentation.SLASH),
    plain_editions=True,
)
