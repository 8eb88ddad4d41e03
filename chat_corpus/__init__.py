"""Public Chinese chat corpora in, clean query/response pairs out.

from chat_corpus import normalize, pairs, sources, turns

sources.load()["ptt"]                  # what is known of a corpus
turns("ptt", raw="raw_chat_corpus")    # its turns as frames, clean and simplified, shard by shard
pairs("ptt", raw="raw_chat_corpus")    # its query/answer pairs, shard by shard
normalize(["這  是"])                   # the text steps and the conversion on texts of your own
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["normalize", "pairs", "sources", "turns"]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for, so that `--help` need not wait for Polars; typed in the stub."""
    if name == "sources":
        return import_module("chat_corpus.sources")
    if name in __all__:
        return getattr(import_module("chat_corpus.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
