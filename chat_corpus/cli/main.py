"""The program `chat-corpus` with all of its commands. Results go to stdout, messages to stderr."""

from __future__ import annotations

import click

from chat_corpus.cli import lineage
from chat_corpus.cli.check_export import check_export
from chat_corpus.cli.demo import demo
from chat_corpus.cli.export import export
from chat_corpus.cli.fetch import fetch
from chat_corpus.cli.group import DefaultGroup
from chat_corpus.cli.help import LANG
from chat_corpus.cli.new_source import new_source
from chat_corpus.cli.normalize import normalize
from chat_corpus.cli.preview import preview
from chat_corpus.cli.report import report
from chat_corpus.cli.run import run
from chat_corpus.cli.sample import sample
from chat_corpus.cli.sources import check, list_
from chat_corpus.process_setup import configure_libraries
from chat_corpus.versions import installed

_EXAMPLES = (
    ("chat-corpus demo", "try it on the bundled samples"),
    ("chat-corpus fetch --raw ~/data", "download corpora"),
    ("chat-corpus check --raw ~/data", "see which corpora a folder holds"),
    ("chat-corpus --raw ~/data --out ~/clean", "clean them all"),
    ("chat-corpus --add mine=chat.jsonl", "clean your own data"),
    ("chat-corpus run --help", "all options"),
)


@click.group(
    cls=DefaultGroup,
    examples=_EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(installed("chat-corpus"), prog_name="chat-corpus")
@LANG
def main() -> None:
    """Turn public Chinese chat corpora into clean pairs of query and answer, one .tsv file per corpus.

    Runs `run` if no command is given.

    Exit codes: 0 done; 1 failed; 2 wrong usage or settings; 3 done, but a requested source is missing or incomplete; 4
    done, but a requested check failed.
    """
    configure_libraries()


for command in (run, preview, export, check_export, fetch, check, list_, demo, normalize, new_source):
    main.add_command(command)
for command in (report, sample, lineage.trace, lineage.explain, lineage.compare):
    main.add_command(command)
