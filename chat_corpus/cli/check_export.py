"""The command `check-export`: check that an export is complete, and that all of its records can be loaded."""

from __future__ import annotations

from dataclasses import asdict
from itertools import islice
from pathlib import Path

import click

from chat_corpus.cli.group import Command
from chat_corpus.cli.help import LANG
from chat_corpus.cli.language import translate
from chat_corpus.cli.options import JSON
from chat_corpus.cli.terminal import echo, echo_json
from chat_corpus.cli.usage import Folder
from chat_corpus.errors import ChatCorpusError
from chat_corpus.messages import count_noun, message

#: Maximum number of offences that are shown.
_SHOWN = 20


@click.command(
    name="check-export",
    cls=Command,
    short_help="verify an export",
    arguments=(("DIR", "Folder of an export."),),
    examples=(("chat-corpus check-export training", "verify all records, counts and digests"),),
)
@click.argument("folder", metavar="DIR", type=Folder())
@JSON
@LANG
def check_export(folder: Path, *, as_json: bool) -> None:
    """Verify an export: records, ids, splits, counts and digests.

    Exit code 1 with the first 20 offences, each with file and line; 0 if there are none.
    """
    verify(folder, as_json=as_json)


def verify(folder: Path, *, as_json: bool = False, to_stderr: bool = False) -> None:
    """Print the first offences of an export, or that there are none. Raises ChatCorpusError if there are any.

    With `to_stderr`, text goes to stderr, because stdout already has JSON.
    """
    from chat_corpus.exports.check import check_export as offences

    found = list(islice(offences(folder), _SHOWN + 1))
    shown = found[:_SHOWN]
    if as_json:
        echo_json([asdict(offence) for offence in shown])
    for offence in () if as_json else shown:
        echo(translate(offence.text), to_stderr=to_stderr)
    if len(found) > _SHOWN:
        raise ChatCorpusError(
            message("{folder}: more than {number} offences; export again with --force", folder=folder, number=_SHOWN)
        )
    if found:
        raise ChatCorpusError(
            message(
                "{folder}: {offences}; export again with --force",
                folder=folder,
                offences=count_noun(len(found), "offence"),
            )
        )
    if not as_json:
        right = message("{folder}: every record, count and digest is right", folder=folder)
        echo(translate(right), to_stderr=to_stderr)
