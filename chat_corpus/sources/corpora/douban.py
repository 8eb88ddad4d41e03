"""Douban Conversation Corpus: multi-turn group discussions with labelled responses, word-segmented."""

from chat_corpus.formats.response_selection import LABELLED
from chat_corpus.schema import Segmentation, Traits
from chat_corpus.sources.base import Input, Source
from chat_corpus.sources.signature import SEGMENTED, Rate, Signature

#: Words of forum members; other response selection sets of this layout are dialogues with shops.
_SIGNATURE = Signature(
    rates=(
        Rate(pattern="^[01]\t[^\t\n]*\t", least=0.9),
        Rate(pattern=SEGMENTED, least=3),
        Rate(pattern=r"_url_|豆瓣|豆油|豆邮|楼主|\blz\b", least=0.03),
    ),
)

SOURCE = Source(
    name="douban",
    title="豆瓣多轮对话",
    url="https://github.com/MarkWuNLP/MultiTurnResponseSelection",
    licence="not stated",
    obtain="open the Dropbox link in the README of the repository, save DoubanConversaionCorpus.zip, and put "
    "train.txt, dev.txt and test.txt from it into douban-multiturn-100w/",
    inputs=(
        Input(
            files=("douban*/train.txt", "douban*/dev.txt", "douban*/test.txt"),
            format=LABELLED,
            layout="^[01]\t",
            signatures=(_SIGNATURE,),
            many=True,
            siblings=("*.sample", "*sample*.txt"),
        ),
    ),
    complete=("train.txt", "dev.txt", "test.txt"),
    traits=Traits(segmentation=Segmentation.BLANK),
)
