"""Blanks and line breaks. A turn may contain line feeds; every other kind of line break is replaced."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from chat_corpus.pipeline.character_scan import Sign
from chat_corpus.pipeline.text.gates import Part
from chat_corpus.pipeline.text.options import TextOptions
from chat_corpus.schema import Traits

_VERTICAL = r"\x0B\x0C\x{85}\x{2028}\x{2029}"
# U+3164 is a letter by its Unicode properties, but people use it as a space.
_WIDE = r"\x{A0}\x{1680}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3164}"
_UNPLAIN = rf"[\t\x{{3000}}{_WIDE}]"

#: A first line that is indented by more than one space, if the next line that is not blank is indented too.
_INDENTED = r"^(?:  |\t| \t)[^\n]*\n(?:[ \t]*\n)*[ \t]+[^ \t\n]"

#: Gates: every text that a step changes matches the pattern of the step.
GATES = {
    "unify_breaks": rf"[\r{_VERTICAL}]",
    "trim_document": rf"[{_WIDE}]|^[ \t]|^[ \t]*\n|[ \t\n]$",
}


def unify_breaks(text: pl.Expr) -> pl.Expr:
    r"""Write every line end as LF, and any other vertical blank or separator as a space.

    U+0085, U+2028, VT and FF occur inside lines of the corpora, where they are left over from other encodings.

    >>> pl.select(unify_breaks(pl.lit("一\r\n二\r三\u2028四"))).item()
    '一\n二\n三 四'
    """
    lines = text.str.replace_all("\r\n", "\n", literal=True).str.replace_all("\r", "\n", literal=True)
    return lines.str.replace_all(rf"[{_VERTICAL}]", " ")


#: The parts of `squeeze_blanks`, each with its gate.
SQUEEZE_PARTS: tuple[tuple[str, Callable[[pl.Expr], pl.Expr]], ...] = (
    (_UNPLAIN, lambda text: text.str.replace_all(_UNPLAIN, " ")),
    ("  ", lambda text: text.str.replace_all("  +", " ")),
    (r" \n|\n |^[ \n]|[ \n]$", lambda text: text.str.replace_all(r" ?\n ?", "\n").str.strip_chars(" \n")),
)


def parts(_options: TextOptions, traits: Traits) -> tuple[Part, ...]:
    """Return the parts: `trim_document` for structured texts, `squeeze_blanks` for all others."""
    return ((GATES["trim_document"], trim_document),) if traits.structured else SQUEEZE_PARTS


def plain_signs(_options: TextOptions, traits: Traits) -> tuple[Sign, ...]:
    """Return the signs of texts of plain characters that this may change: spaces at the ends, or several in a row."""
    ends = Sign(characters=" ", edge=True)
    return (ends,) if traits.structured else (ends, Sign(characters=" ", length=2))


def plain_parts(options: TextOptions, traits: Traits) -> tuple[Part, ...]:
    """Return the parts for texts of plain characters that have one of these signs."""
    return parts(options, traits) if traits.structured else (("", _squeeze_joined),)


def _squeeze_joined(text: pl.Expr) -> pl.Expr:
    """Do as `squeeze_blanks` for texts of plain characters. They have no line breaks, so all are lines of one text."""
    lines = text.str.strip_chars(" ").str.join("\n")
    return lines.str.replace_all("  +", " ").str.split("\n").explode()


def squeeze_blanks(text: pl.Expr) -> pl.Expr:
    r"""Replace each run of blanks by one space, and remove blanks at the ends of a line or of the turn.

    A single space between Han stays, because it is a pause that the author meant. Line breaks inside the turn stay,
    also empty lines.

    >>> pl.select(squeeze_blanks(pl.lit(" 慢慢來\u3000 會習慣 \n\n 嗯\t"))).item()
    '慢慢來 會習慣\n\n嗯'
    """
    for _, change in SQUEEZE_PARTS:
        text = change(text)
    return text


def trim_document(text: pl.Expr) -> pl.Expr:
    r"""Remove empty lines before a document and blanks after it; write no-break and typographic spaces as plain spaces.

    Everything else stays, because it may be code, a table or verse: indentation, runs of spaces, tabs, and U+3000,
    which indents Chinese paragraphs. The first line keeps its indentation if it is more than one space and the next
    line is indented too, as in code. Otherwise it is the space after a mark (`Human: `), or one that a model generated.

    >>> pl.select(trim_document(pl.lit("\n    if x:\n\treturn  1\n"))).item()
    '    if x:\n\treturn  1'
    >>> pl.select(trim_document(pl.lit(" 好的\n写完了 "))).item()
    '好的\n写完了'
    """
    plain = text.str.replace_all(rf"[{_WIDE}]", " ").str.strip_chars_end(" \t\n")
    text = plain.str.replace(r"^(?:[ \t]*\n)+", "")
    return pl.when(text.str.contains(_INDENTED)).then(text).otherwise(text.str.strip_chars_start(" \t"))
