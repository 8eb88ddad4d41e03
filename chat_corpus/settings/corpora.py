"""Settings of corpora that the user adds: their checks, and the flags `--add` and `--layout`."""

from __future__ import annotations

import difflib
import glob
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from chat_corpus.errors import UsageError
from chat_corpus.formats.layouts import LAYOUTS, by_name
from chat_corpus.messages import Message, joined, message
from chat_corpus.schema import is_source_name
from chat_corpus.settings.yaml_lines import Locations, location
from chat_corpus.sources.definitions import AUTO, Definition


def from_flags(added: Iterable[str], layouts: Iterable[str]) -> dict[str, dict[str, Any]]:
    r"""Return the definitions that `--add NAME=PATH` and `--layout NAME=LAYOUT` set, by name.

    If `added` has a name more than once, the definition has several paths. Raises UsageError if a name or a value is
    missing.

    >>> from_flags(["mine=C:\\a=b.jsonl"], ["mine=json"])
    {'mine': {'path': ['C:\\a=b.jsonl'], 'layout': 'json'}}
    """
    corpora: dict[str, dict[str, Any]] = {}
    for given in added:
        name, sign, path = given.partition("=")
        if not (sign and name and path):
            raise UsageError(message("--add {given}: NAME=PATH expected, as in --add mine=chat.jsonl", given=given))
        # A path on the command line is not a pattern, because the shell has already expanded patterns.
        corpora.setdefault(name, {}).setdefault("path", []).append(glob.escape(path))
    for given in layouts:
        name, sign, layout = given.partition("=")
        if not (sign and name and layout):
            raise UsageError(message("--layout {given}: NAME=LAYOUT expected, as in --layout mine=json", given=given))
        corpora.setdefault(name, {})["layout"] = layout
    return corpora


def expanded(corpora: Any) -> Any:
    """Return definitions with `~` expanded in paths. A path, or a list of paths, becomes a definition.

    Values of other types are not changed.
    """
    if not isinstance(corpora, Mapping):
        return corpora
    return {name: _expanded({"path": one} if isinstance(one, str | list) else one) for name, one in corpora.items()}


def _expanded(definition: Any) -> Any:
    if not isinstance(definition, Mapping) or "path" not in definition:
        return definition
    path = definition["path"]
    return {**definition, "path": [_home(one) for one in path] if isinstance(path, list) else _home(path)}


def _home(path: Any) -> Any:
    try:
        return str(Path(path).expanduser()) if isinstance(path, str) and path.startswith("~") else path
    except RuntimeError:  # there is no user with this name
        return path


def check(name: object, definition: Mapping[str, Any], locations: Locations) -> None:
    """Raise UsageError if a definition has an invalid name, no path, or an unknown layout."""
    key = ("corpora", str(name))
    where = location(key, locations) if key in locations else ""  # a flag has no line
    if not is_source_name(name):
        raise UsageError(
            message(
                "{where}'{name}' cannot be the name of a corpus: use a-z, 0-9, '-' and '_', begin with a letter or "
                "digit, and avoid device names of Windows such as con",
                where=where,
                name=name,
            )
        )
    if not definition.get("path"):
        raise UsageError(
            message("{where}{name}: no path; name its file or folder, as in --add {name}=PATH", where=where, name=name)
        )
    layout = definition.get("layout", AUTO)
    if isinstance(layout, str) and layout != AUTO and layout not in by_name():
        raise UsageError(message("{where}{name}: {fault}", where=where, name=name, fault=unknown_layout(layout)))


def check_apart(corpora: Mapping[str, Definition], out: Path) -> None:
    """Raise UsageError if the output folder is inside an added folder, because the next run would read the output."""
    for name, definition in corpora.items():
        for path in definition.paths:
            folder = Path(plain(path))
            if folder.is_dir() and out.is_relative_to(folder.resolve()):
                raise UsageError(
                    message(
                        "--out {out}: inside {folder}, which is added as {name}; use another --out, or add the files "
                        "alone",
                        out=out,
                        folder=folder,
                        name=name,
                    )
                )


def plain(path: str) -> str:
    """Return a path without the escapes of `glob.escape`."""
    return path.replace("[[]", "[").replace("[*]", "*").replace("[?]", "?")


def unknown_layout(layout: str) -> Message:
    """Return the message for an unknown layout, with the most similar name, or else all names."""
    nearest = difflib.get_close_matches(layout.lower(), by_name(), n=1, cutoff=0.5)
    if nearest:
        return message("no layout '{layout}'; did you mean '{nearest}'?", layout=layout, nearest=nearest[0])
    return message("no layout '{layout}'; layouts: {names}", layout=layout, names=names_of_layouts())


def names_of_layouts() -> Message:
    """Return the names of all layouts, separated by commas."""
    return joined(", ", [layout.name for layout in LAYOUTS])


def absolute(path: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """Return a path, or several paths, as absolute paths."""
    return str(Path(path).absolute()) if isinstance(path, str) else tuple(str(Path(one).absolute()) for one in path)
