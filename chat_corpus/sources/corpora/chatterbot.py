"""ChatterBot's bundled corpus, Chinese: hand-written exchanges by topic, some of them long conversations."""

from chat_corpus.formats.chatterbot_yaml import CORPUS_YAML
from chat_corpus.formats.instructions import instruction_turns
from chat_corpus.formats.json_records import json_array, json_lines
from chat_corpus.schema import Script, Traits
from chat_corpus.sources.base import Input, Source
from chat_corpus.sources.origins import FileOrigin, RemoteFile
from chat_corpus.sources.signature import HAN, KANA, Rate, Signature

#: The repository has the same layout in many languages, including Japanese.
_SIGNATURE = Signature(
    holds=("^categories:", "^conversations:"),
    rates=(Rate(pattern="^ *- - ", least=0.03), Rate(pattern=HAN, least=0.5), Rate(pattern=KANA, most=0.05)),
)

#: The layout of the first releases: lists of conversations under the name of the topic.
_JSON = ("chinese/*.corpus.json", "traditionalchinese/*.corpus.json", "tchinese/*.corpus.json")

#: Topics by folder: size in bytes and git blob id, computed from the files of release 1.3.3.
_TOPICS = {
    "chinese": (
        ("ai", 4_206, "6e2020a0800728925475d428287a803e3b32b35b"),
        ("botprofile", 587, "e34b51292ca30f90526eb99cc947e18a6a8c8323"),
        ("conversations", 3_636, "86bc59df17f0e12ce369c16f738b92de35f18a5b"),
        ("emotion", 2_606, "b9a49a7105020ea555cd9de3ecf9721bf9703f20"),
        ("food", 493, "269aecef2cd4c56920738a7e20b27737c1c361f6"),
        ("gossip", 854, "f504d63d94c34e9b07a8a17e25e5ad8b55684752"),
        ("greetings", 908, "5aaa4e0731623d9291ef25e01524ac7d8dbc5b2d"),
        ("history", 667, "34ac1c72b9e2e6d0f518b0c1a92713a010f386bb"),
        ("humor", 5_994, "c68c2629686a07987040e07ff0749bb800b2e8f2"),
        ("literature", 2_127, "65951f6f8689b09914afcaf3dd4991b5367f241b"),
        ("money", 1_974, "858490af3bd53753e0f333ce8a72a52fd30c6bb2"),
        ("movies", 1_369, "0f13c6bbfeb7a44f4956c6380754916c6fd239ae"),
        ("politics", 993, "42d950e13f21c33bbeaafd9b6a1412426b54f4e2"),
        ("psychology", 4_938, "79befebed9e2ed87021d275c13c4685e3f529c16"),
        ("science", 2_483, "21b1951b4fbaa4a6cc21fea0dca4c093527a7d54"),
        ("sports", 1_559, "f6e60453255a359864c63d7807e02b54f39d2b07"),
        ("trivia", 916, "4b9d95129b42036ce90b70b765842b00780df287"),
    ),
    "traditionalchinese": (
        ("ai", 4_529, "e6c71f61c09ce22c1f3664f4d44e3e4327e4d3ff"),
        ("botprofile", 587, "5e7c549344e904919d8c1ff921aa34ae81da51e7"),
        ("conversations", 3_591, "907789cd2ab530956a8919132bf7dc4a797d39e4"),
        ("emotion", 2_607, "abaebc462fc7be3172b5eeba61aa126c13401889"),
        ("food", 494, "6e3a8bac89ab598fbfd7ca1b9ec689a9103b7c49"),
        ("gossip", 854, "4e3dff94941721427e3ed27f65c327cdd8ae0b9f"),
        ("greetings", 892, "60aadc99c0925b351f90fd36f70503a989c9147c"),
        ("history", 667, "3a5d9580bba081c439343cfd09a2ec6129cfa7a1"),
        ("humor", 5_993, "ce323a1a54985f1e5e572e387a5092d2d9ce36f0"),
        ("literature", 2_128, "3b64935029dcd76dc057772c312d007858c1d76a"),
        ("money", 1_975, "78215217e6b3e3b98518a387c8c821dc8d120620"),
        ("movies", 1_370, "06b921054ff7de048d662f278077ed407408609c"),
        ("politics", 994, "bc822c3dc2577035aa07edb3ba7d45724d179805"),
        ("psychology", 4_415, "4b544b726a13e442233c564f992e306a3cc88e26"),
        ("science", 2_483, "98c8fa73ddc4bef75e4f52096eaa1d842d5b80d9"),
        ("sports", 1_559, "492a03171378d8b1b9d588b62d76c9af0fda3561"),
        ("trivia", 895, "7f798d5d99cf0987593eb149e0531c657eec65cc"),
    ),
}

SOURCE = Source(
    name="chatterbot",
    title="ChatterBot 中文语料",
    url="https://github.com/gunthercox/chatterbot-corpus",
    licence="BSD-3-Clause",
    obtain="clone the repository and copy its data folders 'chinese' and 'traditionalchinese' into chatterbot-1k/",
    origins=(
        FileOrigin(
            address="https://raw.githubusercontent.com/gunthercox/chatterbot-corpus/"
            "a01efece26661309b870af0251d96f94ee09fb19/chatterbot_corpus/data/",
            licence="BSD-3-Clause",
            files=tuple(
                RemoteFile(
                    name=f"{folder}/{topic}.yml",
                    path=f"chatterbot-1k/{folder}/{topic}.yml",
                    bytes=size,
                    git_blob=blob,
                )
                for folder, topics in _TOPICS.items()
                for topic, size, blob in topics
            ),
        ),
    ),
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
