"""The output of `list`: facts of each source, or the profiles."""

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

#: Purposes of the bundled profiles; the comments in their files have more details.
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
    """Return the facts of each source, as `list --json` prints them: `name, state, title, licence, url, files`."""
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
    """Return the profiles, as `list --profiles --json` prints them: `name, purpose, file, settings`.

    `settings` are those that the profile changes.
    """
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
    """Return the profiles as text for people, one block for each."""
    blocks = []
    for row in rows:
        changed = "\n".join(f"  {key}: {json.dumps(value)}" for key, value in _flat(row["settings"]))
        blocks.append(f"{row['name']}: {translate(row['purpose'])}\n  {row['file']}\n{changed}")
    return "\n\n".join(blocks)


def _flat(settings: Mapping[str, Any], under: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted key, value) for each setting."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{under}{key}.")
        else:
            yield f"{under}{key}", value


def table(rows: list[dict[str, Any]]) -> str:
    """Return the facts as a table for people."""
    return format_table(({**row, "state": words.state(row["state"])} for row in rows), _TITLES)
