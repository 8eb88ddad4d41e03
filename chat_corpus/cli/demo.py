"""The `demo` command: copy the bundled samples to a new folder, and run on them."""

from __future__ import annotations

from pathlib import Path

import click

from chat_corpus.cli.group import Command
from chat_corpus.cli.help import LANG
from chat_corpus.cli.usage import NewFolder
from chat_corpus.messages import message

_FOLDER = "chat-corpus-demo"


@click.command(
    cls=Command,
    short_help="try it on the bundled samples",
    arguments=(("[DIR]", "Folder for the samples and the result (default: chat-corpus-demo)."),),
    examples=(("chat-corpus demo", "samples in chat-corpus-demo/raw, result in chat-corpus-demo/clean"),),
)
@click.argument("folder", default=_FOLDER, metavar="[DIR]", type=NewFolder())
@LANG
@click.pass_context
def demo(ctx: click.Context, folder: Path) -> None:
    """Run on the bundled samples: a few invented records of each corpus, in its own layout.

    Copies the samples to DIR/raw, so that you can compare them with the result in DIR/clean.
    """
    from chat_corpus.cli import logs
    from chat_corpus.cli.run import run
    from chat_corpus.discovery import samples

    raw, out = folder / "raw", folder / "clean"
    number = samples.copy(raw)
    logs.info(message("copied {number} files of samples to {folder}", number=number, folder=str(raw)), "demo.copied")
    ctx.invoke(run, raw=str(raw), out=str(out))
