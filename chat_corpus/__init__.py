"""Public Chinese chat corpora in, clean query/response pairs out.

from chat_corpus import compare, dialogues, explain, export, load, normalize, pairs, run, sources, trace, turns

load("ptt", raw="raw_chat_corpus")     # the rows of its TSV as one frame
dialogues("ptt", raw="raw_chat_corpus")  # every turn, with its dialogue, its address and its reason
run("ptt", settings={"store_dialogues": True})  # what the command `run` does
export("export", "ptt")                # what the command `export` does
sources.load()["ptt"]                  # the facts about a corpus
turns("ptt", raw="raw_chat_corpus")    # its turns as frames, clean and simplified, one frame per shard
pairs("ptt", raw="raw_chat_corpus")    # its query/answer pairs, one frame per shard
normalize(["這  是"])                   # text steps and script conversion on your own texts
trace("clean_chat_corpus/ptt.tsv", 37)  # where rows of an output came from
explain("raw_chat_corpus/x.csv", 4)    # what became of raw records
compare("clean_chat_corpus", "other")  # the differences between two outputs, and their causes
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = [
    "__version__", "compare", "dialogues", "explain", "export", "load", "normalize", "pairs", "run", "sources", "trace",
    "turns",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Return a public name, imported at its first use, so that `--help` does not import Polars. The stub has types."""
    if name == "__version__":
        return import_module("chat_corpus.versions").installed("chat-corpus")
    if name == "sources":
        return import_module("chat_corpus.sources")
    if name in __all__:
        return getattr(import_module("chat_corpus.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return all names of the module, also public names that are not imported yet."""
    return sorted({*globals(), *__all__})
