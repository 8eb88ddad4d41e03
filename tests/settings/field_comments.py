"""The `#:` comments beside the fields of settings: default.yaml and the reference page show them."""

from __future__ import annotations

import inspect
import re
from typing import Any

import msgspec


def field_comments(kind: type[Any]) -> dict[str, str]:
    """The comment above each field of a struct, its bases first."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, msgspec.Struct) and base is not msgspec.Struct:
            pattern = r"((?:^    #:.*\n)+)    (\w+):"
            for comment, name in re.findall(pattern, inspect.getsource(base), re.MULTILINE):
                found[name] = " ".join(line.strip()[2:].strip() for line in comment.splitlines())
    return found


def described(struct: Any, name: str) -> str:
    """What a user reads about a field: its comment, or of a section the first line of its docstring."""
    value = getattr(struct, name)
    text = field_comments(type(struct)).get(name) or (inspect.getdoc(type(value)) or "").split("\n")[0]
    assert text, f"{type(struct).__name__}.{name} has no comment for the user"
    return text
