"""NUS SMS corpus, Chinese: single messages, so there are turns but no pairs."""

from chat_corpus.formats.xml_messages import xml_messages
from chat_corpus.schema import Pairing, Script, Traits
from chat_corpus.sources.base import Input, Source
from chat_corpus.sources.origins import FileOrigin, RemoteFile
from chat_corpus.sources.signature import Signature

_SIGNATURE = Signature(
    holds=(r"\A\s*<", "<smsCorpus", "<text>", '<messageProfile[^>]* language="zh"'), record="<message id=", fewest=3
)

SOURCE = Source(
    name="sms",
    title="新加坡国立大学短信语料",
    url="https://github.com/kite1988/nus-sms-corpus",
    licence="not stated; asks for a citation",
    obtain="copy smsCorpus_zh_xml_2015.03.09.zip from the repository into sms-zh/; it need not be unpacked",
    origins=(
        FileOrigin(
            address="https://raw.githubusercontent.com/kite1988/nus-sms-corpus/"
            "bf0a365170d324e61e4025edf363d400f1edd1a6/",
            files=(
                RemoteFile(
                    name="smsCorpus_zh_xml_2015.03.09.zip",
                    path="sms-zh/smsCorpus_zh_xml_2015.03.09.zip",
                    bytes=1_209_377,
                    git_blob="04d83d35b277d1f672a8f9613c038d8ddf28a784",
                ),
            ),
        ),
    ),
    inputs=(
        Input(
            files=("smsCorpus_zh*.xml",),
            format=xml_messages("message", "text", "source/userProfile/userID"),
            layout=r"<\w",
            signatures=(_SIGNATURE,),
            siblings=tuple(f"smsCorpus_zh*_{year}.*" for year in range(2014, 2009, -1)),
        ),
    ),
    pairing=Pairing.NONE,
    traits=Traits(script=Script.MIXED),
)
