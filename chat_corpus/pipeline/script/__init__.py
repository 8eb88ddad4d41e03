"""Traditional to simplified Chinese, turn by turn, and the script that each turn was written in."""

from chat_corpus.pipeline.script.converter import Converter, ScriptOptions, load
from chat_corpus.pipeline.script.detect import NAMES

__all__ = ["NAMES", "Converter", "ScriptOptions", "load"]
