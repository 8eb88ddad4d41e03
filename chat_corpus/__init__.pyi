from chat_corpus import sources as sources
from chat_corpus.api import compare as compare
from chat_corpus.api import dialogues as dialogues
from chat_corpus.api import explain as explain
from chat_corpus.api import export as export
from chat_corpus.api import load as load
from chat_corpus.api import normalize as normalize
from chat_corpus.api import pairs as pairs
from chat_corpus.api import run as run
from chat_corpus.api import trace as trace
from chat_corpus.api import turns as turns

__version__: str

__all__ = [
    "__version__",
    "compare",
    "dialogues",
    "explain",
    "export",
    "load",
    "normalize",
    "pairs",
    "run",
    "sources",
    "trace",
    "turns",
]
