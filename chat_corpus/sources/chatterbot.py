"""ChatterBot's bundled corpus, Chinese: hand-written exchanges by topic, some of them long conversations."""

from chat_corpus.formats.corpus_yaml import CORPUS_YAML
from chat_corpus.schema import Script, Traits
from chat_corpus.source import Input, Source

SOURCE = Source(
    name="chatterbot",
    title="ChatterBot 中文语料",
    url="https://github.com/gunthercox/chatterbot-corpus",
    licence="BSD-3-Clause",
    obtain="clone the repository and copy its data folders 'chinese' and 'traditionalchinese' into chatterbot-1k/",
    inputs=(Input(files=("chinese/*.yml", "traditionalchinese/*.yml", "tchinese/*.yml"), format=CORPUS_YAML),),
    traits=Traits(script=Script.MIXED),
)
