"""Douban Conversation Corpus: multi-turn group discussions with labelled responses, word-segmented."""

from chat_corpus.formats.labelled import LABELLED
from chat_corpus.schema import Segmentation, Traits
from chat_corpus.source import Input, Source

SOURCE = Source(
    name="douban",
    title="豆瓣多轮对话",
    url="https://github.com/MarkWuNLP/MultiTurnResponseSelection",
    licence="not stated",
    obtain="download DoubanConversaionCorpus.zip as its README says and unpack train.txt, dev.txt and test.txt into "
    "douban-multiturn-100w/",
    inputs=(Input(files=("douban*/train.txt", "douban*/dev.txt", "douban*/test.txt"), format=LABELLED),),
    complete=("train.txt", "dev.txt", "test.txt"),
    traits=Traits(segmentation=Segmentation.BLANK),
)
