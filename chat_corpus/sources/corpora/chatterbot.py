"""ChatterBot's bundled corpus, Chinese: hand-written exchanges by topic, some of them long conversations."""

from chat_corpus.formats.chatterbot_yaml import CORPUS_YAML
from chat_corpus.formats.instructions import instruction_turns
from chat_corpus.formats.json_records import json_array, json_lines
from chat_corpus.schema import Script, Traits
from chat_corpus.sources.base import Input, Source
from chat_corpus.sources.signature import HAN, KANA, Rate, Signature

#: The repository has the same layout in many languages, Japanese among them.
_SIGNATURE = Signature(
    holds=("^categories:", "^conversations:"),
    rates=(Rate(pattern="^ *- - ", least=0.03), Rate(pattern=HAN, least=0.5), Rate(pattern=KANA, most=0.05)),
)

#: The layout of the first releases: lists of conversations under the name of the topic.
_JSON = ("chinese/*.corpus.json", "traditionalchinese/*.corpus.json", "tchinese/*.corpus.json")

SOURCE = Source(
    name="chatterbot",
    title="ChatterBot 中文语料",
    url="https://github.com/gunthercox/chatterbot-corpus",
    licence="BSD-3-Clause",
    obtain="clone the repository and copy its data folders 'chinese' and 'traditionalchinese' into chatterbot-1k/",
    inputs=(
        Input(
            files=("chinese/*.yml", "traditionalchinese/*.yml", "tchinese/*.yml"),
            format=CORPUS_YAML,
            layout=r"^\s*(?:- |#)|^\w+:",
            signatures=(_SIGNATURE,),
            many=True,
        ),
        Input(files=_JSON, format=json_lines(instruction_turns, certain=True), many=True),
        Input(files=_JSON, format=json_array(instruction_turns, certain=True), many=True),
    ),
    traits=Traits(script=Script.MIXED),
)
