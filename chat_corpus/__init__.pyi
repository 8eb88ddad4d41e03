from chat_corpus import sources as sources
from chat_corpus.api import compare as compare
from chat_corpus.api import explain as explain
from chat_corpus.api import normalize as normalize
from chat_corpus.api import pairs as pairs
from chat_corpus.api import trace as trace
from chat_corpus.api import turns as turns

__all__ = ["compare", "explain", "normalize", "pairs", "sources", "trace", "turns"]
