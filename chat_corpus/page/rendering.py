"""Render a page as one file of HTML without scripts, in English and Chinese. The templates escape all texts."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from chat_corpus.messages import Message, load_catalogue, message, one_line
from chat_corpus.page.formats import format_number
from chat_corpus.page.model import NUMERIC, Cell, Column, Excerpt, Number, Page

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_CONTENTS = message("Contents")


def html(page: Page, language: str = "en") -> str:
    """Return a page as HTML that first shows `language`: en or zh. The result is the same for the same page."""
    environment = _environment()
    style = _text("page.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    template = environment.get_template("page.html.j2")
    return template.render(
        page=page,
        language=language,
        style=style,
        style_digest=f"sha256-{digest}",
        count=Column(title=_CONTENTS),
        numeric=NUMERIC,
        skip=message("Skip to the content"),
        contents=_CONTENTS,
        footer=message(
            "Made by chat-corpus from the JSON files of the output; each number shows its key in them when pointed at."
        ),
    )


def _text(name: str) -> str:
    return files("chat_corpus.page").joinpath("templates", name).read_text("utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # imported here, since only pages need it

    environment = Environment(
        loader=FunctionLoader(_text), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(both=_both, cell=_cell, chinese=_chinese, unit=_unit)
    environment.tests.update(number=lambda value: isinstance(value, Number))
    return environment


def _both(text: Message | str, tag: str = "span") -> Markup | str:
    """Return a text in both languages, each in an element; without elements if it is the same in both."""
    from markupsafe import Markup, escape

    if not isinstance(text, Message):
        return one_line(text)
    english, chinese = escape(one_line(text)), escape(_chinese(text))
    if english == chinese:
        return english
    return Markup(f'<{tag} lang="en">{english}</{tag}><{tag} lang="zh-Hans">{chinese}</{tag}>')  # noqa: S704 escaped


def _chinese(text: Message) -> str:
    return one_line(text.translated(load_catalogue("zh")))


def _cell(value: Cell, column: Column) -> Markup | str:
    if value is None:
        return "–"
    if isinstance(value, Excerpt):
        from markupsafe import Markup

        return Markup("{}<mark>{}</mark>{}").format(value.head, value.part, value.tail)
    return format_number(value, column.kind) if isinstance(value, Number) else _both(value)


def _unit(value: float) -> str:
    """Return a length in a drawing with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")
