"""小黄鸡 (Xiaohuangji): exchanges with the chat bot of the Renren network, plain or word-segmented."""

from chat_corpus.formats.conv import CONV, MARKED_CONV
from chat_corpus.schema import Segmentation, Traits
from chat_corpus.sources.base import Input, Source, question_answer_inputs
from chat_corpus.sources.origins import FileOrigin, RemoteFile
from chat_corpus.sources.signature import Rate, Signature

_LAYOUT = r"^(?:E\s*$|M\b)"
_MARK = r"^E[ \t]*$"
#: Names that people call the bot (小黄鸡, 小鸡 and ruder ones), without exchanges about chicken.
_CALLED = r"(?:你|我|就)/?是[^\n]{0,6}鸡|小/?[\u4e00-\u9fff]?/?鸡|^M 鸡+/?[。！？!?]*$"
_TWO = Rate(pattern=r"^E[ \t]*\n(?:M .*\n){2}(?=E[ \t]*$)", least=0.9)
_EXCHANGES = (_TWO, Rate(pattern=_CALLED, least=0.01))
#: A .conv file of exchanges of two turns with few repeats; no other corpus has such files.
_CONV = (_TWO, Rate(pattern=r"^(M .+)\n(?=(?:.*\n){1,4}\1$)", most=0.2), Rate(pattern="[\u4e00-\u9fff]", least=4))
_SEGMENTED = "[\u4e00-\u9fff]/[\u4e00-\u9fff]"
_PLAIN = tuple(
    Signature(record=_MARK, rates=(*rates, Rate(pattern=_SEGMENTED, most=0.2)), ending=ending)
    for rates, ending in ((_EXCHANGES, ""), (_CONV, ".conv"))
)
_FENCI = tuple(
    Signature(record=_MARK, rates=(*rates, Rate(pattern=_SEGMENTED, least=0.5)), ending=ending)
    for rates, ending in ((_EXCHANGES, ""), (_CONV, ".conv"))
)

SOURCE = Source(
    name="xiaohuangji",
    title="小黄鸡",
    url="https://github.com/rustch3n/dgk_lost_conv",
    licence="not stated",
    obtain="copy results/xiaohuangji50w_nofenci.conv.zip from the repository into xiaohuangji-40w/; it need not be "
    "unpacked",
    origins=(
        FileOrigin(
            address="https://raw.githubusercontent.com/rustch3n/dgk_lost_conv/"
            "113ecd57f04fdf971483e0789ff87bbe4bf0d9e0/",
            files=(
                RemoteFile(
                    name="results/xiaohuangji50w_nofenci.conv.zip",
                    path="xiaohuangji-40w/xiaohuangji50w_nofenci.conv.zip",
                    git_blob="34a778fb4424f060555674398eb3a0a8228814ca",
                ),
            ),
        ),
    ),
    inputs=(
        Input(files=("xiaohuangji*_nofenci*.conv",), format=CONV, layout=_LAYOUT, signatures=_PLAIN),
        Input(files=("xiaohuangji*.conv",), format=CONV, layout=_LAYOUT, signatures=_FENCI),
        Input(files=("xiaohuangji*.txt",), format=MARKED_CONV, layout=_LAYOUT),
        *question_answer_inputs("xiaohuangji*", ("csv", "txt")),
    ),
    alternatives=True,
    traits=Traits(segmentation=Segmentation.SLASH),
    plain_editions=True,
)
