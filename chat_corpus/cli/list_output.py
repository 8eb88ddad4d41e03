"""What `list` prints of each source."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from chat_corpus.cli import words
from chat_corpus.cli.language import translate
from chat_corpus.cli.terminal import format_table
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.messages import Message, constant, message
from chat_corpus.settings import profiles as profile_files
from chat_corpus.settings import yaml_lines

#: Purposes of the profiles; each file says more.
_PURPOSES: dict[str, Message] = {
    "lccc": message("the rules of the LCCC corpus, without those that mostly remove good rows"),
    "retrieval": message("pairs for retrieval models: distinct, with an answer that says something"),
    "strict": message("fewer bad rows, at the price of good ones"),
}
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


def profiles() -> list[dict[str, Any]]:
    """Each profile, as `list --profiles --json` prints it: name, purpose, file, and the settings that it changes."""
    files = [profile_files.find(name) for name in profile_files.names()]
    return [
        {
            "name": file.stem,
            "purpose": _PURPOSES.get(file.stem, constant(profile_files.description(file))),
            "file": str(file),
            "settings": yaml_lines.load(file)[0],
        }
        for file in files
    ]


def profile_text(rows: list[dict[str, Any]]) -> str:
    """The profiles for people: a block for each."""
    blocks = []
    for row in rows:
        changed = "\n".join(f"  {key}: {json.dumps(value)}" for key, value in _flat(row["settings"]))
        blocks.append(f"{row['name']}: {translate(row['purpose'])}\n  {row['file']}\n{changed}")
    return "\n\n".join(blocks)


def _flat(settings: Mapping[str, Any], under: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each setting with its dotted key."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{under}{key}.")
        else:
            yield f"{under}{key}", value


def table(rows: list[dict[str, Any]]) -> str:
    """The facts as a table for people."""
    return format_table(({**row, "state": words.state(row["state"])} for row in rows), _TITLES)
