"""Profiles: files of settings for a purpose, which are part of the package."""

from __future__ import annotations

import difflib
from pathlib import Path

from chat_corpus.errors import UsageError
from chat_corpus.messages import joined, message

_FOLDER = "profiles"
_ENDING = ".yaml"


def names() -> list[str]:
    """Return the names of the profiles of this package, in alphabetical order."""
    return sorted(path.stem for path in folder().glob(f"*{_ENDING}"))


def folder() -> Path:
    """Return the folder of the profiles of this package."""
    return Path(__file__).resolve().parent.parent / _FOLDER


def find(value: str) -> Path:
    """Return the file of a profile from its name or its path. Raises UsageError if there is none."""
    known = names()
    if value in known:
        return folder() / f"{value}{_ENDING}"
    path = Path(value).expanduser()
    if path.is_file():
        return path
    if path.suffix in (".yaml", ".yml") or path.name != value:
        raise UsageError(message("--profile {value}: no such file", value=value))
    nearest = difflib.get_close_matches(value, known, n=1, cutoff=0.5)
    if nearest:
        fault = message("--profile {value}: no such profile; did you mean '{name}'?", value=value, name=nearest[0])
    else:
        fault = message(
            "--profile {value}: no such profile; profiles: {names}, or a file of settings",
            value=value,
            names=joined(", ", known),
        )
    raise UsageError(fault)


def description(path: Path) -> str:
    """Return the first paragraph of the comment at the beginning of a profile, as one line."""
    lines = []
    for line in path.read_text("utf-8").splitlines():
        text = line.removeprefix("#").strip()
        if not line.startswith("#") or not text:
            break
        lines.append(text)
    return " ".join(lines)
