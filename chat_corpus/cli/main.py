"""The command line: arguments, logging, progress, exit codes. stdout is data, stderr is talk."""

from __future__ import annotations

import os

import click

from chat_corpus.cli import lineage
from chat_corpus.cli.check_export import check_export
from chat_corpus.cli.export import export
from chat_corpus.cli.group import RunByDefault
from chat_corpus.cli.normalize import normalize
from chat_corpus.cli.run import run
from chat_corpus.cli.sources import check, list_
from chat_corpus.versions import installed


@click.group(
    cls=RunByDefault,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Documentation: docs/ in the repository, in English and Chinese (docs/zh/).",
)
@click.version_option(installed("chat-corpus"), prog_name="chat-corpus")
def main() -> None:
    """Public Chinese chat corpora in, one clean query<TAB>answer file each; nothing lost without a reason.

    Without a command, `run` is meant. Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 done, but a
    source that was asked for is missing or incomplete; 4 done, but a check that was asked for tripped.
    """
    # Read by Polars when it is imported: for frames of a shard's size, more threads only wait for each other.
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    # NumPy's library for matrices, which nothing here uses, would start as many threads as there are processors.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


for verb in (run, export, check_export, normalize, list_, check, lineage.trace, lineage.explain, lineage.compare):
    main.add_command(verb)
