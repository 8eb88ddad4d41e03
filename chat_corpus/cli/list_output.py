"""What `list` tells of each source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chat_corpus.discovery.model import DiscoveredSource

LIST_COLUMNS = ("name", "state", "title", "licence", "url", "files")


def listing(found: Mapping[str, DiscoveredSource]) -> list[dict[str, Any]]:
    """What is known of each source: rows with the keys of `LIST_COLUMNS`."""
    return [
        {
            "name": name,
            "state": one.state,
            "title": one.source.title,
            "licence": one.source.licence,
            "url": one.source.url,
            "files": list(dict.fromkeys(pattern for wanted in one.source.inputs for pattern in wanted.files)),
        }
        for name, one in found.items()
    ]
