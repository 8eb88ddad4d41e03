"""What `list` prints of each source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chat_corpus.cli import words
from chat_corpus.cli.terminal import format_table
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.messages import constant, message

_TITLES = {
    "name": message("name"),
    "state": message("state"),
    "title": message("title"),
    "licence": message("licence"),
    "url": message("url"),
    "files": message("files"),
}


def listing(found: Mapping[str, DiscoveredSource]) -> list[dict[str, Any]]:
    """The facts of each source, as `list --json` prints them: name, state, title, licence, url, files."""
    return [
        {
            "name": name,
            "state": source.state,
            "title": source.source.title,
            "licence": constant(source.source.licence),
            "url": source.source.url,
            "files": list(dict.fromkeys(pattern for input_ in source.source.inputs for pattern in input_.files)),
        }
        for name, source in found.items()
    ]


def table(rows: list[dict[str, Any]]) -> str:
    """The facts as a table for people."""
    return format_table(({**row, "state": words.state(row["state"])} for row in rows), _TITLES)
