"""Corpora that the user adds, as settings: checked, and put together from the flags `--add` and `--layout`."""

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
    r"""What `--add NAME=PATH` and `--layout NAME=LAYOUT` set, by name. A name that is given again has several paths.

    Raises UsageError for anything else than a name and a value.

    >>> from_flags(["mine=C:\\a=b.jsonl"], ["mine=json"])
    {'mine': {'path': ['C:\\a=b.jsonl'], 'layout': 'json'}}
    """
    corpora: dict[str, dict[str, Any]] = {}
    for given in added:
        name, sign, path = given.partition("=")
        if not (sign and name and path):
            raise UsageError(message("--add {given}: NAME=PATH expected, as in --add mine=chat.jsonl", given=given))
        # A path of the command line is no pattern: shells have expanded those.
        corpora.setdefault(name, {}).setdefault("path", []).append(glob.escape(path))
    for given in layouts:
        name, sign, layout = given.partition("=")
        if not (sign and name and layout):
            raise UsageError(message("--layout {given}: NAME=LAYOUT expected, as in --layout mine=json", given=given))
        corpora.setdefault(name, {})["layout"] = layout
    return corpora


def expanded(corpora: Any) -> Any:
    """Definitions with `~` as the home folder, and a path alone as a definition; anything else as it is."""
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
    except RuntimeError:  # no user of that name
        return path


def check(name: object, definition: Mapping[str, Any], locations: Locations) -> None:
    """Raise UsageError where a name, a path or a layout of a definition cannot be."""
    where = location(("corpora", str(name)), locations)
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
    """Raise UsageError where the output folder is inside a folder that is added: the next run would read it."""
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
    """A path without the escapes of `glob.escape`."""
    return path.replace("[[]", "[").replace("[*]", "*").replace("[?]", "?")


def unknown_layout(layout: str) -> Message:
    """Why a layout is none, with the nearest name or all of them."""
    nearest = difflib.get_close_matches(layout.lower(), by_name(), n=1, cutoff=0.5)
    if nearest:
        return message("no layout '{layout}'; did you mean '{nearest}'?", layout=layout, nearest=nearest[0])
    return message("no layout '{layout}'; layouts: {names}", layout=layout, names=names_of_layouts())


def names_of_layouts() -> Message:
    """The names of all layouts."""
    return joined(", ", [layout.name for layout in LAYOUTS])


def absolute(path: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """A path, or several, from the root of the file system."""
    return str(Path(path).absolute()) if isinstance(path, str) else tuple(str(Path(one).absolute()) for one in path)
