"""The `normalize` command: text steps, script conversion and masks as a filter from stdin to stdout."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from chat_corpus import process_setup
from chat_corpus.cli.added import ADD, LAYOUT, settled
from chat_corpus.cli.group import Command
from chat_corpus.cli.help import LANG, option
from chat_corpus.cli.options import CONFIG, PLUGIN, PROFILE, read_settings, source_names
from chat_corpus.cli.terminal import SafeBytes, echo
from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.messages import joined, message

if TYPE_CHECKING:
    from io import BufferedReader

_EXAMPLES = (
    ("chat-corpus normalize < in.txt > out.txt", "clean a file of lines"),
    ("echo '這裡  有人嗎？' | chat-corpus normalize --explain", "show what each step does"),
)


@click.command(cls=Command, short_help="clean lines from stdin", examples=_EXAMPLES)
@option("Selection", "-s", "--source", "name", metavar="NAME", help="Treat the lines as turns of this source.")
@ADD
@LAYOUT
@PLUGIN
@PROFILE
@CONFIG
@option("Output", "--explain", is_flag=True, help="Print each step that changes a line, and its result.")
@LANG
def normalize(name: str | None, configs: tuple[Path, ...], *, explain: bool, **rest: Any) -> None:
    """Clean and convert text as a filter: each line from stdin gives one line on stdout.

    With -s NAME, word segmentation is removed if all files of that source are segmented (douban, weibo). If only some
    are (subtitle, xiaohuangji), a single line is ambiguous, and blanks and slashes stay. Set read.segmentation with
    --config to decide otherwise.

    Masks personal data if --profile or --config sets filters such as phone to mask. No line is dropped: filters that
    drop turns, pairs or dialogues have no effect, and a warning names them.

    Lines that are not UTF-8, longer than 1 MiB, or nested too deep are written unchanged. If there are any, the exit
    code is 1 and their numbers are shown.
    """
    from chat_corpus import sources
    from chat_corpus.cli import logs, normalize_lines

    settings = settled(read_settings(configs, rest))
    known = sources.load(settings.plugins, settings.added)
    if name is not None and source_names((name,), known) != [name]:
        raise UsageError(message("-s {names}: name one source, or none for other text", names=name))
    filter_ = normalize_lines.Filter.of(settings.of(name or ""), known.get(name or ""))
    if "stdin" in process_setup.missing:
        raise UsageError(message("<stdin>: closed; chat-corpus normalize reads lines from stdin"))
    stdin = cast("BufferedReader", sys.stdin.buffer)
    if idle := normalize_lines.without_effect(filter_.settings.filters):
        text = message("no line is dropped, so these settings have no effect: {names}", names=joined(", ", idle))
        logs.warning(text, "settings.unused")
    unchanged = normalize_lines.Unchanged()
    if explain:
        for line in normalize_lines.explain(filter_, stdin, unchanged):
            echo(line)
    else:
        with process_setup.results():
            shown = SafeBytes(sys.stdout.buffer) if sys.stdout.isatty() else sys.stdout.buffer
            unchanged = normalize_lines.run(filter_, stdin, shown)
    if unchanged:
        raise ChatCorpusError(message("<stdin>: {faults}", faults=normalize_lines.described(unchanged)))
