"""Public Chinese chat corpora in, clean query/response pairs out.

from chat_corpus import normalize, pairs, sources, turns

sources.load()["ptt"]                  # what is known of a corpus
turns("ptt", raw="raw_chat_corpus")    # its turns as frames, clean and simplified, shard by shard
pairs("ptt", raw="raw_chat_corpus")    # its query/answer pairs, shard by shard
normalize(["這  是"])                   # the text steps and the conversion on texts of your own
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chat_corpus.api import normalize, pairs, turns

__all__ = ["normalize", "pairs", "sources", "turns"]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for, so that `--help` need not wait for Polars."""
    if name in ("normalize", "pairs", "turns"):
        from chat_corpus import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
