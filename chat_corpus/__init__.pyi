from chat_corpus import sources as sources
from chat_corpus.api import normalize as normalize
from chat_corpus.api import pairs as pairs
from chat_corpus.api import turns as turns

__all__ = ["normalize", "pairs", "sources", "turns"]
