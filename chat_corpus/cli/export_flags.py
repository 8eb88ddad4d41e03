"""Flags of the `export` command as settings."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from chat_corpus.cli.options import split_names
from chat_corpus.errors import UsageError
from chat_corpus.messages import message


def export_options(flags: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of the section `export` that flags give, and take those flags out. Raises UsageError."""
    from msgspec.structs import asdict

    from chat_corpus.exports.splits import parse_split

    names = ("turns", "system", "max_turns", "max_chars", "alternatives")
    values = {name: flags.pop(name) for name in names if flags[name] is not None}
    values |= {name: "keep" for name in ("duplicates", "personal") if flags[f"keep_{name}"]}
    if flags["relatedness"]:
        values["relatedness"] = True
    if flags["formats"]:
        values["formats"] = _formats(flags["formats"])
    if flags["split"] is not None:
        shares = asdict(parse_split(flags["split"]))
        values["split"] = {name: shares[name] for name in ("test", "validation")}
    if flags["max_groups"] is not None:
        values["split"] = {**values.get("split", {}), "max_groups": flags["max_groups"]}
    if flags["decontaminate"]:
        values["decontaminate"] = list(flags["decontaminate"])
    return values | _mix(flags)


def _mix(flags: dict[str, Any]) -> dict[str, Any]:
    """The settings of the mix that flags give, if any. Raises UsageError."""
    from chat_corpus.exports.mixing import parse_shares, parse_subsets

    values: dict[str, Any] = {}
    if flags["mix"] is not None:
        parse_shares(flags["mix"])
        values["shares"] = flags["mix"]
    if flags["max_share"] is not None:
        values["max_share"] = flags["max_share"]
    if flags["subset"] is not None:
        values["subsets"] = list(parse_subsets(flags["subset"]))
    return {"mix": values} if values else {}


def _formats(given: Iterable[str]) -> list[str]:
    """Formats from repeated, comma-separated names, without `hf`. Raises UsageError for an unknown one."""
    from chat_corpus.exports.records import FORMATS

    names = split_names(given)
    for name in names:
        if name in ("hf", *FORMATS):
            continue
        similar = difflib.get_close_matches(name.lower(), FORMATS, n=1, cutoff=0.5)
        if similar:
            raise UsageError(
                message("--format {name}: no such format; did you mean '{similar}'?", name=name, similar=similar[0])
            )
        formats = ", ".join(["hf", *FORMATS])
        raise UsageError(
            message("--format {name}: no such format; the formats are {formats}", name=name, formats=formats)
        )
    return [name for name in names if name != "hf"]
