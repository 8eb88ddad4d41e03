"""The YAML loader that is used on files of others, and how deep these may be nested."""

from __future__ import annotations

from typing import Any

import yaml

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: Sections in sections: deeper ones are no data of ours, and composing them would exhaust the C stack.
_DEEPEST = 50


def check_nesting(text: str) -> bool:
    """Whether YAML text holds an alias. Raises ValueError where it is nested too deep to be composed, and YAMLError."""
    depth, aliases = 0, False
    for event in yaml.parse(text, Loader=LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError(f"sections in sections more than {_DEEPEST} deep")
        aliases |= isinstance(event, yaml.AliasEvent)
    return aliases
