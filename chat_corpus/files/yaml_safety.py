"""The YAML loader for untrusted files, and a limit on their nesting."""

from __future__ import annotations

from typing import Any

import yaml

from chat_corpus.messages import message

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: Maximum depth of sections: composing deeper ones would exhaust the C stack.
_DEEPEST = 50


def check_nesting(text: str) -> bool:
    """Return whether YAML text has an alias. Raises ValueError for too deep nesting, YAMLError for invalid YAML."""
    depth, aliases = 0, False
    for event in yaml.parse(text, Loader=LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError(message("sections in sections more than {most} deep", most=_DEEPEST))
        aliases |= isinstance(event, yaml.AliasEvent)
    return aliases
