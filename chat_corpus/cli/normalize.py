"""The `normalize` command: text steps and script conversion as a filter."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from chat_corpus import process_setup
from chat_corpus.cli.added import ADD, LAYOUT, settled
from chat_corpus.cli.group import Verb
from chat_corpus.cli.options import CONFIG, PLUGIN, known_names, read_settings
from chat_corpus.cli.terminal import SafeBytes, echo
from chat_corpus.errors import ChatCorpusError, UsageError

if TYPE_CHECKING:
    from io import BufferedReader


@click.command(cls=Verb)
@click.option("-s", "--source", "name", metavar="NAME", help="Treat the lines as turns of this source.")
@CONFIG
@PLUGIN
@ADD
@LAYOUT
@click.option("--explain", is_flag=True, help="Print each step that changes a line, and what to.")
def normalize(name: str | None, configs: tuple[Path, ...], *, explain: bool, **rest: Any) -> None:
    """The text steps and the script conversion as a filter: lines from stdin to stdout, one for one.

    With -s NAME, word segmentation is undone where all files of that source are segmented (douban, weibo). Where some
    are not (subtitle, xiaohuangji), a line alone does not tell: its blanks and slashes stay. `read: {segmentation: …}`
    in --config says otherwise.

    A line that is not UTF-8, longer than 1 MiB, or nested too deep goes out as it came; if there was any, their numbers
    are told and the exit code is 1.
    """
    from chat_corpus import sources
    from chat_corpus.cli import normalize_lines as filter_

    settings = settled(read_settings(configs, rest))
    known = sources.load(settings.plugins, settings.added)
    if name is not None and known_names((name,), known) != [name]:
        raise UsageError(f"-s {name}: one source expected, or none for text of your own")
    told = filter_.Filter.of(settings.of(name or ""), known.get(name or ""))
    if "stdin" in process_setup.missing:
        raise UsageError("<stdin>: closed; chat-corpus normalize reads lines from stdin and writes to stdout")
    stdin = cast("BufferedReader", sys.stdin.buffer)
    unchanged = filter_.Unchanged()
    if explain:
        for line in filter_.explain(told, stdin, unchanged):
            echo(line)
    else:
        with process_setup.results():
            shown = SafeBytes(sys.stdout.buffer) if sys.stdout.isatty() else sys.stdout.buffer
            unchanged = filter_.run(told, stdin, shown)
    if unchanged:
        raise ChatCorpusError(f"<stdin>: {filter_.in_words(unchanged)}")
