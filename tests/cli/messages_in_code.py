"""All texts of the program that a catalogue must translate, found in its code and in its commands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from chat_corpus import sources
from chat_corpus.cli import help as help_
from chat_corpus.cli.main import main
from tests.conftest import ROOT

#: Functions of `chat_corpus.messages`, and which of their arguments is a text in English.
_MAKERS = {"message": 0, "joined": 0, "count_noun": 1}


def templates(folder: Path = ROOT / "chat_corpus") -> dict[str, str]:
    """The templates of all messages, each with a place where it is. Fails for one that is no literal."""
    return {text: place for file in sorted(folder.rglob("*.py")) for text, place in _of_file(file) if has_words(text)}


def _of_file(file: Path) -> Iterator[tuple[str, str]]:
    tree = ast.parse(file.read_text("utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    makers = {alias.name for node in imports if node.module == "chat_corpus.messages" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in makers & set(_MAKERS):
            place = f"{file.relative_to(ROOT)}:{node.lineno}"
            text = node.args[_MAKERS[node.func.id]]
            assert isinstance(text, ast.Constant), f"{place}: a literal expected"
            noun = str(text.value)
            template = f"{{number:,}} {noun}s" if node.func.id == "count_noun" else noun
            yield template + _context(node, place), place


def _context(call: ast.Call, place: str) -> str:
    """The end of the key in a catalogue, if a call of `message` or `count_noun` has a context after the text."""
    function = call.func.id if isinstance(call.func, ast.Name) else ""
    contexts = call.args[_MAKERS[function] + 1 :] if function != "joined" else []
    for context in contexts:
        assert isinstance(context, ast.Constant), f"{place}: a literal expected"
        return f" [{context.value!s}]"
    return ""


def help_texts() -> set[str]:
    """The texts of --help."""
    return {text for text in help_.texts(main) if has_words(text)}


def facts() -> set[str]:
    """The texts of the declarations of sources that the terminal shows."""
    known = sources.load().values()
    return {text for source in known for text in (source.licence, source.obtain) if re.search(r"[a-z] [a-z]", text)}


def has_words(template: str) -> bool:
    """Whether there is something to translate beside the values: a word, or punctuation that Chinese has as well."""
    return template == "{title}:" or bool(re.search(r"[A-Za-z(%]|[,;:] ", re.sub(r"\{[^}]*\}", "", template)))


def names(template: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in Formatter().parse(template) if name}
