"""The command `check-export`: whether an export is whole and every record of it can be loaded."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import click

from chat_corpus.cli.group import Verb
from chat_corpus.cli.options import JSON
from chat_corpus.cli.terminal import echo, echo_json
from chat_corpus.errors import ChatCorpusError

#: So many offences are shown; the rest of the export is not read then.
_SHOWN = 20


@click.command(name="check-export", cls=Verb)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@JSON
def check_export(folder: Path, *, as_json: bool) -> None:
    """Verify an export: records, ids, splits, counts and digests.

    Exit code 1 with the first 20 offences, each with file and line; 0 if there are none.
    """
    verify(folder, as_json=as_json)


def verify(folder: Path, *, as_json: bool) -> None:
    """Print the offences of an export, or that there are none. Raises ChatCorpusError where there are any."""
    import msgspec

    from chat_corpus.exports.check import check_export as offences

    found = list(islice(offences(folder), _SHOWN + 1))
    shown = found[:_SHOWN]
    if as_json:
        echo_json([msgspec.to_builtins(one) for one in shown])
    for one in () if as_json else shown:
        echo(str(one))
    if found:
        more = f"more than {_SHOWN}" if len(found) > _SHOWN else str(len(found))
        raise ChatCorpusError(f"{folder}: {more} offences; export again with --force")
    if not as_json:
        echo(f"{folder}: every record, count and digest is right")
