"""The `sample` command: random rows of an output, before and after cleaning."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chat_corpus.cli.added import places
from chat_corpus.cli.group import Command
from chat_corpus.cli.help import LANG, option
from chat_corpus.cli.options import JSON, ORIGIN, source_option, split_names
from chat_corpus.cli.terminal import echo_json
from chat_corpus.cli.usage import Folder, Whole
from chat_corpus.errors import IncompleteError, UsageError
from chat_corpus.messages import Message, message

if TYPE_CHECKING:
    from chat_corpus.lineage.sample_model import Sample, SampleRequest

#: Maximum number of rows: all are in memory until they are shown.
_MOST = 10_000


@click.command(
    cls=Command,
    short_help="show random rows, before and after cleaning",
    arguments=(("DIR", "Output folder of a run, or an export."),),
    examples=(
        ("chat-corpus sample clean_chat_corpus", "20 rows, spread over all sources"),
        ("chat-corpus sample clean_chat_corpus -s ptt -n 50 --changed", "rows that cleaning changed"),
        ("chat-corpus sample clean_chat_corpus --rejected --reason length", "what was rejected for one reason"),
    ),
)
@click.argument("folder", metavar="DIR", type=Folder())
@ORIGIN
@source_option("Draw from these sources only. Can be repeated.")
@option("Selection", "-n", "--rows", type=Whole(min=1, max=_MOST), default=20, metavar="N",
        help="Rows in all, spread over the sources (default: 20).")  # fmt: skip
@option("Selection", "--rejected", is_flag=True, help="Draw from the rejects, or the records in no split.")
@option("Selection", "--reason", metavar="REASON", help="Draw from the rejects with this reason.")
@option("Selection", "--changed", is_flag=True, help="Draw from the rows that cleaning changed.")
@option("Selection", "--seed", type=Whole(min=0), default=0, metavar="N",
        help="Draw other rows: each number gives a different sample (default: 0).")  # fmt: skip
@JSON
@LANG
def sample(
    folder: Path,
    included: tuple[str, ...],
    rows: int,
    raw: str | None,
    added: tuple[str, ...],
    plugins: tuple[str, ...],
    *,
    rejected: bool,
    reason: str | None,
    changed: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Show random rows of an output side by side: as they were read, and as they were written.

    Each has its address, which trace or explain takes. To find the texts before cleaning, shards are processed again
    from the raw files. Control, right-to-left and invisible characters are shown as escapes.
    """
    from chat_corpus.cli import logs, sample_output
    from chat_corpus.lineage.sample_model import SampleRequest

    rejected = rejected or reason is not None
    if rejected and changed:
        raise UsageError(message("--changed: rejects have no text after cleaning; omit --changed or --rejected"))
    names = tuple(split_names(included))
    request = SampleRequest(
        count=rows, sources=names, rejected=rejected, reason=reason, changed=changed, seed=seed, raw=raw,
        plugins=plugins, places=places(added, folder),
    )  # fmt: skip
    sampled = _draw(folder, request)
    for remark in dict.fromkeys(sampled.remarks):
        logs.warning(remark, "sample.remark")
    if as_json:
        echo_json([asdict(row) for row in sampled.rows])
    else:
        sample_output.show(sampled.rows)
    if not sampled.rows:
        raise IncompleteError(_nothing(folder, request))


def _nothing(folder: Path, request: SampleRequest) -> Message:
    """Return the message that there is no row to show."""
    if request.rejected:
        return message("{folder}: nothing to show: these sources have no such rejects", folder=folder)
    if request.changed:
        return message("{folder}: nothing to show: no row was found that cleaning changed", folder=folder)
    return message("{folder}: nothing to show: these sources have no rows; --rejected shows rejects", folder=folder)


def _draw(folder: Path, request: SampleRequest) -> Sample:
    """Return a sample from the output of a run, or from an export."""
    from chat_corpus.exports.manifest import MANIFEST

    if (folder / MANIFEST).is_file():
        from chat_corpus.lineage.export_sample import sample_export

        return sample_export(folder, request)
    from chat_corpus.lineage.sample import sample_output

    return sample_output(folder, request)
