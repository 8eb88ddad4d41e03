"""Public Chinese chat corpora in, clean query/response pairs out.

from chat_corpus import compare, dialogues, explain, export, load, normalize, pairs, run, sources, trace, turns

load("ptt", raw="raw_chat_corpus")     # the rows of its TSV as one frame
dialogues("ptt", raw="raw_chat_corpus")  # every turn, with its dialogue, its address and its reason
run("ptt", settings={"store_dialogues": True})  # what the command `run` does
export("export", "ptt")                # what the command `export` does
sources.load()["ptt"]                  # what is known of a corpus
turns("ptt", raw="raw_chat_corpus")    # its turns as frames, clean and simplified, shard by shard
pairs("ptt", raw="raw_chat_corpus")    # its query/answer pairs, shard by shard
normalize(["這  是"])                   # the text steps and the conversion on texts of your own
trace("clean_chat_corpus/ptt.tsv", 37)  # where rows of an output came from
explain("raw_chat_corpus/x.csv", 4)    # what became of raw records
compare("clean_chat_corpus", "other")  # in what two outputs are not the same, and why
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = [
    "__version__", "compare", "dialogues", "explain", "export", "load", "normalize", "pairs", "run", "sources", "trace",
    "turns",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for, so that `--help` need not wait for Polars; typed in the stub."""
    if name == "__version__":
        return import_module("chat_corpus.versions").installed("chat-corpus")
    if name == "sources":
        return import_module("chat_corpus.sources")
    if name in __all__:
        return getattr(import_module("chat_corpus.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """What there is to import, before it has been."""
    return sorted({*globals(), *__all__})
