"""Traditional to simplified Chinese, turn by turn, and the script that each turn was written in."""

from chat_corpus.script.converter import Converter, ScriptOptions, load

__all__ = ["Converter", "ScriptOptions", "load"]
