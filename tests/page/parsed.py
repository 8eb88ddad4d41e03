"""A page as tests look at it: elements that balance, cells with the keys of their numbers, texts by language."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

#: Elements without an end.
_VOID = {"meta", "link", "input", "br"}


@dataclass
class Element:
    """An element with its attributes, its text without that of other languages, and what is in it."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None
    children: list[Element] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)

    def all(self, tag: str) -> list[Element]:
        """All elements of a kind below this one, in order."""
        found = []
        for child in self.children:
            found += [child] if child.tag == tag else []
            found += child.all(tag)
        return found

    @property
    def text(self) -> str:
        """The text in English, or in no language."""
        return "".join(self.parts)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.at = Element(tag="", attributes={}, parent=None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag=tag, attributes={name: value or "" for name, value in attrs}, parent=self.at)
        self.at.children.append(element)
        if tag not in _VOID:
            self.at = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.at.children.append(Element(tag=tag, attributes={k: v or "" for k, v in attrs}, parent=self.at))

    def handle_endtag(self, tag: str) -> None:
        assert self.at.tag == tag, f"</{tag}> ends <{self.at.tag}> at {self.getpos()}"
        assert self.at.parent is not None
        self.at = self.at.parent

    def handle_data(self, data: str) -> None:
        chinese = self.at.tag in ("span", "tspan") and self.at.attributes.get("lang") == "zh-Hans"
        element: Element | None = None if chinese else self.at
        while element is not None:
            element.parts.append(data)
            element = element.parent


def parse(text: str) -> Element:
    """The root of a page. Fails for elements that do not balance."""
    parser = _Parser()
    parser.feed(text)
    parser.close()
    assert parser.at is parser.root, f"<{parser.at.tag}> has no end"
    return parser.root
