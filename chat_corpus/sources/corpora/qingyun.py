"""Qingyun (青云库): questions to a QQ group bot named 菲菲 and its templated answers."""

from chat_corpus.formats.delimited_pairs import delimited
from chat_corpus.schema import Markup, Traits
from chat_corpus.sources.base import Input, Source, question_answer_inputs
from chat_corpus.sources.signature import HAN, Rate, Signature

_SIGNATURE = Signature(
    rates=(
        Rate(pattern=r" \| ", least=0.9),
        Rate(pattern=r"\{br\}|\{r[+-]\}|\{face:", least=0.03),
        Rate(pattern=HAN, least=1),
    ),
)

SOURCE = Source(
    name="qingyun",
    title="青云库",
    url="https://github.com/codemayq/chinese_chatbot_corpus",
    licence="not stated",
    obtain="open the Google Drive or Baidu link in the README of chinese_chatbot_corpus, save the archive, and unpack "
    "its folder qingyun-11w into the raw folder",
    inputs=(
        Input(
            files=("qingyun*/*.csv", "*青云库*.csv"),
            format=delimited(" | "),
            layout=r" \| ",
            signatures=(_SIGNATURE,),
        ),
        *question_answer_inputs("*青云库*"),
    ),
    traits=Traits(markup=frozenset({Markup.TEMPLATE})),
)
