"""Flags of the `export` command, and the settings that they give."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from chat_corpus.cli.help import option, options
from chat_corpus.cli.options import split_names
from chat_corpus.cli.usage import Choice, Share, Whole
from chat_corpus.errors import UsageError
from chat_corpus.messages import message

#: The value of `exports.dialogues.MOST`, repeated here because that module imports Polars, which is slow.
_MOST = 1_000_000_000
#: Options that define records and the files to write.
RECORDS = options(
    option("Cleaning", "--keep-duplicates", is_flag=True, help="Keep records that equal an earlier one."),
    option(
        "Cleaning",
        "--keep-personal",
        is_flag=True,
        help="Do not mask phone, QQ, WeChat and identity numbers and e-mail addresses.",
    ),
    option(
        "Output",
        "--format",
        "formats",
        multiple=True,
        metavar="NAME[,NAME]",
        help="Further formats besides hf: messages, sharegpt, alpaca, prompt-completion, query-response, tsv, csv, "
        "firefly, lccc, cdial-gpt, gpt2-chitchat, parlai, preference.",
    ),
    option("Output", "--turns", type=Choice(["dialogue", "pairs"]), help="A record per dialogue, or per pair."),
    option("Output", "--system", may_be_empty=True, metavar="TEXT", help="Begin each record with this system message."),
    option(
        "Output",
        "--max-turns",
        type=Whole(min=2, max=_MOST),
        metavar="N",
        help="Cut longer dialogues into records of N turns.",
    ),
    option(
        "Output",
        "--max-chars",
        type=Whole(min=1, max=_MOST),
        metavar="N",
        help="Cut longer dialogues into records of N characters.",
    ),
    option(
        "Output",
        "--alternatives",
        type=Choice(["all", "first"]),
        help="A record for each alternative answer, or for the first only.",
    ),
    option(
        "Output",
        "--relatedness",
        is_flag=True,
        help="Add a column to the Parquet files: how well answers fit their queries.",
    ),
    option(
        "Output", "--split", metavar="SHARES", help="Shares of test and validation, as in test=0.01,validation=0.01."
    ),
    option(
        "Output",
        "--max-groups",
        type=Whole(min=0),
        metavar="N",
        help="Most dialogue groups of a source in test and in validation; 0: no limit (default: 2000).",
    ),
    option(
        "Output",
        "--decontaminate",
        multiple=True,
        metavar="FILE",
        help="Keep out of train what resembles a pair of this benchmark. Can be repeated.",
    ),
    option(
        "Output", "--mix", metavar="SHARES", help="natural, equal, temperature=0.5, or weights such as ptt=2,tieba=1."
    ),
    option(
        "Output",
        "--max-share",
        type=Share(min_open=True),
        metavar="SHARE",
        help="Largest share of a source in train, such as 0.3.",
    ),
    option(
        "Output", "--subset", metavar="SIZES", help="Nested subsets of train: 200k,600k,1m; add all to keep the rest."
    ),
)


def export_options(flags: dict[str, Any]) -> dict[str, Any]:
    """Return the section `export` of the settings, from flags. Some of these flags are removed from `flags`.

    Raises UsageError for wrong values.
    """
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
    """Return the section `mix` of the export settings, from flags; empty if none is given. Raises UsageError."""
    from chat_corpus.exports.mix_options import parse_shares, parse_subsets

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
    """Return the formats in repeated, comma-separated values, without `hf`. Raises UsageError for an unknown format."""
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
