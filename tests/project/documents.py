"""The documents: both READMEs, the pages under docs/ in both languages, and what tests look for in them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conftest import ROOT

READMES = ("README.md", "README.zh-CN.md")
ENGLISH = tuple(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").glob("*.md")))
CHINESE = tuple(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs" / "zh").glob("*.md")))
PAGES = (*ENGLISH, *CHINESE)
ROOT_DOCUMENTS = (*READMES, "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
DOCUMENTS = (*ROOT_DOCUMENTS, *PAGES)


def pages(name: str) -> tuple[str, str]:
    """A page in both languages."""
    return f"docs/{name}.md", f"docs/zh/{name}.md"


def language(document: str) -> str:
    """The language of a document: en or zh."""
    return "zh" if "zh" in document else "en"


def text(document: str) -> str:
    return (ROOT / document).read_text("utf-8")


def blocks(document: str, kind: str) -> list[str]:
    """The fenced blocks of one kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", text(document), re.MULTILINE | re.DOTALL)


def marked(document: str) -> list[tuple[str, str]]:
    """Fenced blocks below a comment `<!-- mark -->`: the mark and the block."""
    pattern = r"^<!-- ([^\n]+) -->\n```\w*\n(.*?)^```$"
    return re.findall(pattern, text(document), re.MULTILINE | re.DOTALL)


def shown(document: str, mark: str) -> str:
    """The fenced block below one comment."""
    found = dict(marked(document))
    assert mark in found, f"{document} has no block '{mark}'"
    return found[mark]


def headings(document: str) -> list[str]:
    """The headings, those in fenced blocks left out."""
    bare = re.sub(r"^```.*?^```$", "", text(document), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ .+$", bare, re.MULTILINE)


def anchor(heading: str) -> str:
    """The anchor of a heading, as GitHub and the site make it."""
    bare = re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", r"\1", heading.lstrip("# ")).lower()
    return re.sub(r"\s", "-", re.sub(r"[^\w\- ]", "", bare))


def links(document: str) -> list[str]:
    """The targets of links, those in code left out."""
    bare = re.sub(r"^```.*?^```$|`[^`\n]*`", "", text(document), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", bare)


def target(document: str, link: str) -> tuple[Path, str]:
    """The file that a link within the repository leads to, and the anchor."""
    path, _, fragment = link.partition("#")
    base = ROOT / document
    return (base.parent / path if path else base).resolve(), fragment


def between(document: str, mark: str) -> tuple[str, str, str]:
    """What is before, in and behind the generated part of a document."""
    before, opening, rest = text(document).partition(f"<!-- {mark} -->\n")
    made, closing, after = rest.partition(f"<!-- /{mark.split()[0]} -->\n")
    assert opening, f"{document} has no part '{mark}'"
    assert closing, f"{document}: '{mark}' has no end"
    return before + opening, made, closing + after
