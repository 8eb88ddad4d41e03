"""Options that several commands have, and the settings and sources that they select."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chat_corpus.cli.added import ADD, LAYOUT, MOVED, from_flags
from chat_corpus.cli.help import LANG, Decorated, option, options
from chat_corpus.cli.usage import Choice, File, Whole, nearest
from chat_corpus.errors import UsageError
from chat_corpus.messages import joined, message

if TYPE_CHECKING:
    from chat_corpus.discovery.model import Inventory
    from chat_corpus.settings.model import Settings

RAW = option("Input", "--raw", metavar="DIR", help="Folder with the raw corpora (default: raw_chat_corpus).")
CONFIG = option(
    "Cleaning", "--config", "configs", multiple=True, type=File(), metavar="FILE",
    help="YAML file with settings. Repeat it to add more files; the last one wins.",
)  # fmt: skip
PROFILE = option(
    "Cleaning", "--profile", metavar="NAME|FILE",
    help="Start from a profile (lccc, retrieval, strict) or from a file of settings.",
)  # fmt: skip
PLUGIN = option(
    "Input", "--plugin", "plugins", multiple=True, metavar="FILE",
    help="Python file that defines a further corpus or filter. Can be repeated.",
)  # fmt: skip
JSON = option("Output", "--json", "as_json", is_flag=True, help="Print the result as JSON to stdout.")

LIMIT = option(
    "Input", "--limit", type=Whole(min=1), metavar="N", help="Read only the first N records of each raw file."
)
OUT = option("Output", "--out", metavar="DIR", help="Folder to write to (default: clean_chat_corpus).")
ENCODING = option(
    "Input",
    "--encoding",
    "encodings",
    multiple=True,
    metavar="SOURCE=NAME",
    help="Read the files of a source in this encoding instead of the detected one. Can be repeated.",
)
PAIRS = option(
    "Cleaning",
    "--pairs",
    type=Choice(["adjacent", "exchange", "first"]),
    help="How turns become pairs: each answers the one before, every second one does, or all answer the first.",
)
UNEQUAL_LENGTHS = option(
    "Cleaning",
    "--unequal-lengths",
    type=Choice(["error", "common"]),
    help="If parallel files differ in length: fail, or use the lines that both have.",
)


def source_option(help_text: str) -> Callable[[Decorated], Decorated]:
    """Return the option -s, which selects sources."""
    names = ("-s", "--source", "included")
    return option("Selection", *names, multiple=True, metavar="NAME[,NAME]", help=help_text)


SOURCES = source_option("Process only these sources. Can be repeated.")
EXCLUDE = option(
    "Selection",
    "--exclude",
    multiple=True,
    metavar="NAME[,NAME]",
    help="Process all sources except these. Can be repeated.",
)
WORKERS = option(
    "Processes", "--workers", type=Whole(min=1, max=1024), metavar="N", help="Number of processes (default: all cores)."
)
ENGINE = option(
    "Processes",
    "--engine",
    type=Choice(["local", "dask"]),
    help="Processes of this machine, or Dask (default: local).",
)
SCHEDULER = option("Processes", "--scheduler", metavar="ADDRESS", help="Use the Dask cluster of this scheduler.")
QUIET = option("Messages", "-q", "--quiet", is_flag=True, help="Show only warnings and errors.")
VERBOSE = option("Messages", "-v", "--verbose", is_flag=True, help="Show each shard, and tracebacks of errors.")
LOG_JSON = option(
    "Messages", "--log-json", is_flag=True, help="Write messages to stderr as JSON, one per line, in English."
)

#: Options for the input of a command.
READING = options(RAW, ADD, LAYOUT, PLUGIN, ENCODING)
#: Options that select the sources.
SELECTING = options(SOURCES, EXCLUDE)
#: Options for cleaning and pairing turns.
CLEANING = options(PROFILE, CONFIG, PAIRS, UNEQUAL_LENGTHS)
#: Options for the processes.
PROCESSES = options(WORKERS, ENGINE, SCHEDULER)
#: Options for the messages on stderr.
MESSAGES = options(QUIET, VERBOSE, LOG_JSON, LANG)


def origin_options(raw: str, plugin: str) -> Callable[[Decorated], Decorated]:
    """Return the options for the current location of raw files, and for the plugins that an output was made with.

    `raw` and `plugin` are the help texts of --raw and --plugin.
    """
    return options(
        option("Input", "--raw", metavar="DIR", help=raw),
        MOVED,
        option("Input", "--plugin", "plugins", multiple=True, metavar="FILE", help=plugin),
    )


ORIGIN = origin_options(
    "Folder with the raw corpora, if it was moved since the run.",
    "Python file that the output was made with. Its code is run. Can be repeated.",
)


def read_settings(configs: tuple[Path, ...], flags: Mapping[str, Any]) -> Settings:
    """Return the settings from files and flags. Raises UsageError if they are wrong."""
    from chat_corpus import sources
    from chat_corpus.settings import filter_settings, loading, profiles

    # In a checkout, main.py passes its configs/default.yaml. An installed package has the same values built in.
    default = click.get_current_context().obj
    chosen = flags.get("profile")
    profile = () if chosen is None else (profiles.find(chosen),)
    files = [*([default] if default is not None and default.is_file() else []), *profile, *configs]
    settings = loading.load(files, _from_flags(flags))
    loading.check_sources(files, settings, sources.load(settings.plugins, settings.added))
    filter_settings.check_custom(settings, (item.name for item, _ in sources.declared(settings.plugins).filters))
    return settings


def _from_flags(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that flags change, in the structure of a settings file. Raises UsageError."""
    direct = ("raw", "out", "workers", "store_dialogues", "engine", "scheduler")
    values: dict[str, Any] = {name: flags[name] for name in direct if flags.get(name)}
    if flags.get("scheduler") and flags.get("workers"):
        raise UsageError(message("--workers: a scheduler has workers of its own; omit --workers or --scheduler"))
    if flags.get("engine") == "local":
        if flags.get("scheduler"):
            raise UsageError(message("--engine local uses no scheduler: omit --engine or --scheduler"))
        values["scheduler"] = None
    if flags.get("no_page"):
        values["page"] = False
    if flags.get("plugins"):
        values["plugins"] = list(flags["plugins"])
    if corpora := from_flags(flags):
        values["corpora"] = corpora
    if flags.get("pairs"):
        values["pairs"] = {"mode": flags["pairs"]}
    read = {name: flags[name] for name in ("limit", "unequal_lengths") if flags.get(name)}
    if read:
        values["read"] = read
    if flags.get("export"):
        values["export"] = flags["export"]
    if flags.get("encodings"):
        encodings = map(_encoding, flags["encodings"])
        values["sources"] = {source: {"read": {"encoding": encoding}} for source, encoding in encodings}
    return values


def _encoding(value: str) -> tuple[str, str]:
    """Return the source and the encoding in `SOURCE=NAME`. Raises UsageError, with a similar name if there is one."""
    from chat_corpus.files.encoding_detection import CHOICES

    source, _, name = value.partition("=")
    if not source or not name:
        raise UsageError(
            message("--encoding {value}: SOURCE=NAME expected, for example --encoding ptt=big5", value=value)
        )
    if name.lower() in CHOICES:
        return source, name.lower()
    if hint := nearest(name, CHOICES):
        raise UsageError(
            message(
                "--encoding {value}: no encoding '{name}'; did you mean {nearest}?",
                value=value,
                name=name,
                nearest=hint,
            )
        )
    raise UsageError(
        message(
            "--encoding {value}: no encoding '{name}'; encodings: {names}",
            value=value,
            name=name,
            names=joined(", ", CHOICES),
        )
    )


def for_engine(settings: Settings) -> Settings:
    """Return settings for the engine; paths are absolute for Dask. Raises UsageError if Dask is not installed."""
    if settings.engine == "local" and not settings.scheduler:
        return settings
    from chat_corpus.engines import dask_client
    from chat_corpus.settings.loading import with_absolute_paths

    dask_client.dask()
    return with_absolute_paths(settings)


def discovered(settings: Settings) -> Inventory:
    """Return the files of all sources, in the raw folder and of added corpora. Raises UsageError.

    The layouts of added corpora must be known (see `added.settled`).
    """
    from chat_corpus import sources
    from chat_corpus.discovery.inventory import discover

    return discover(Path(settings.raw), sources.load(settings.plugins, settings.added), settings.added)


def source_names(values: tuple[str, ...], known: Mapping[str, object]) -> list[str]:
    """Return the names in repeated, comma-separated values.

    Raises UsageError for a name that is not in `known`, with a similar name if there is one.
    """
    names = split_names(values)
    for name in names:
        if name not in known:
            if len(parts := name.split()) > 1 and all(part in known for part in parts):
                raise UsageError(message("no source '{name}'; did you mean {names}?", name=name, names=",".join(parts)))
            if hint := nearest(name, known):
                raise UsageError(message("no source '{name}'; did you mean '{nearest}'?", name=name, nearest=hint))
            raise UsageError(message("no source '{name}'; sources: {names}", name=name, names=joined(", ", known)))
    return names


def split_names(values: Iterable[str]) -> list[str]:
    """Return the distinct names in repeated, comma-separated values. Raises UsageError if a value has no name."""
    names = []
    for value in values:
        given = [name.strip() for name in value.split(",") if name.strip()]
        if not given:
            raise UsageError(message("'{value}': a name expected, none found", value=value))
        names += given
    return list(dict.fromkeys(names))
