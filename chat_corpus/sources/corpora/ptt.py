"""PTT Gossiping: question titles and replies of Taiwan's largest board; two releases that overlap."""

from chat_corpus.formats.csv_pairs import quoted
from chat_corpus.formats.delimited_pairs import delimited
from chat_corpus.schema import Script, Traits
from chat_corpus.sources.base import Input, Source, question_answer_inputs
from chat_corpus.sources.origins import FileOrigin, RemoteFile
from chat_corpus.sources.signature import ONE_TAB, TRADITIONAL, Rate, Signature

#: One question in six asks for 八卦, gossip.
_GOSSIP = (Rate(pattern=TRADITIONAL, least=0.5), Rate(pattern="八卦", least=0.03))
_FIRST = Signature(rates=(Rate(pattern=ONE_TAB, least=0.9), *_GOSSIP))
_SECOND = Signature(holds=(r"\Aquestion,answer$",), rates=_GOSSIP)

SOURCE = Source(
    name="ptt",
    title="PTT 八卦板问答",
    url="https://github.com/zake7749/Gossiping-Chinese-Corpus",
    licence="Apache-2.0",
    obtain="copy data/Gossiping-QA-Dataset-2_0.csv (774,114 lines) from the repository into ptt-77w/, and "
    "data/Gossiping-QA-Dataset.txt (418,202 lines) into ptt-42w/ if you want the first release too",
    origins=(
        FileOrigin(
            address="https://raw.githubusercontent.com/zake7749/Gossiping-Chinese-Corpus/master/data/",
            licence="Apache-2.0",
            files=(
                RemoteFile(name="Gossiping-QA-Dataset-2_0.csv", path="ptt-77w/Gossiping-QA-Dataset-2_0.csv"),
                RemoteFile(name="Gossiping-QA-Dataset.txt", path="ptt-42w/Gossiping-QA-Dataset.txt", optional=True),
            ),
        ),
    ),
    inputs=(
        Input(
            files=("Gossiping-QA-Dataset-2*.csv",),
            format=quoted(),
            layout=",",
            signatures=(_SECOND,),
        ),
        Input(files=("Gossiping-QA-Dataset.txt",), format=delimited("\t"), layout=ONE_TAB, signatures=(_FIRST,)),
        *question_answer_inputs("Gossiping-QA-Dataset*"),
    ),
    traits=Traits(script=Script.TAIWAN),
    no_answer=frozenset({"沒有資料"}),
    overlapping=True,
)
