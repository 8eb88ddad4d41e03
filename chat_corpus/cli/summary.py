"""The summary at the end of a run: a table of sources, three sample pairs, what was written, and next steps."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shlex import quote

from chat_corpus.cli import added, logs, words
from chat_corpus.cli.language import translate
from chat_corpus.cli.terminal import cut, format_table, padded, width
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.messages import Message, count_noun, joined, message
from chat_corpus.outputs.layout import PAGE
from chat_corpus.pipeline.counts import Counts
from chat_corpus.runs.report_builder import SourceReport
from chat_corpus.schema import PAIR_REASON, Reason
from chat_corpus.settings.model import Settings

_TITLES = {
    "source": message("source"),
    "records": message("records"),
    "turns": message("turns"),
    "pairs": message("pairs"),
    "dropped": message("dropped"),
    "seconds": message("seconds"),
    "why": message("reasons"),
}
#: Reasons for which passes over all pairs drop pairs, in the order of the summary.
_PAIR_REASONS = (
    Reason.DUPLICATE_DIALOGUE,
    Reason.DUPLICATE,
    Reason.NEAR_DUPLICATE,
    Reason.ANSWERS_PER_QUERY,
    Reason.QUERIES_PER_ANSWER,
    Reason.UNRELATED,
)
#: Number of sample pairs, and maximum length of their lines in bytes.
_SAMPLES, _LONGEST = 3, 4096
#: A row of the summary: source, row number, query, answer.
Sample = tuple[str, int, str, str]


def log(
    chosen: Mapping[str, DiscoveredSource],
    done: Mapping[str, SourceReport],
    settings: Settings,
    *,
    seconds: float,
    program: str,
) -> None:
    """Log the summary. `seconds` is the time of the whole run, `program` the name it was called with."""
    out = settings.out
    rows = [_row(name, done.get(name)) for name, source in chosen.items() if name in done or source.damaged]
    if len(rows) > 1:
        rows.append(_total(done, seconds))
    failed = [number for number, row in enumerate(rows, 2) if row["dropped"] == "-"]
    colours = {1: logs.BOLD, **dict.fromkeys(failed, logs.RED)}
    if len(rows) > 1:
        colours[len(rows) + 1] = logs.BOLD
    logs.info("\n" + format_table(rows, _TITLES), "run.table", colours=colours)
    if samples := list(sample_pairs(done, Path(out))):
        logs.info(_shown(samples), "run.samples")
    logs.info(written(done, out), "run.written")
    logs.info(next_steps(done, settings, samples, program, failed=bool(failed)), "run.next")


def _row(name: str, report: SourceReport | None) -> dict[str, object]:
    if report is None:
        return {**dict.fromkeys(_TITLES, "-"), "source": name, "why": message("DAMAGED, see above")}
    if report.error:
        failed = {"source": name, "seconds": f"{report.seconds:.1f}", "why": message("FAILED, see above")}
        return {**dict.fromkeys(_TITLES, "-"), **failed}
    dropped = _dropped(report.counts)
    return {
        "source": name,
        **_figures(report.counts, dropped),
        "seconds": message("unchanged") if report.unchanged else f"{report.seconds:.1f}",
        "why": joined(", ", (words.dropped(reason, number) for reason, number in dropped.items())) or "-",
    }


def _total(done: Mapping[str, SourceReport], seconds: float) -> dict[str, object]:
    counts = Counts.zero()
    for report in done.values():
        if not report.error:
            counts.add(report.counts)
    return {
        "source": message("total"),
        **_figures(counts, _dropped(counts)),
        "seconds": f"{seconds:.1f}",
        "why": "",
    }


def _figures(counts: Counts, dropped: Mapping[str, int]) -> dict[str, str]:
    numbers = {
        "records": counts.records.read,
        "turns": counts.turns.kept,
        "pairs": counts.pairs.written,
        "dropped": sum(dropped.values()),
    }
    return {name: f"{number:,}" for name, number in numbers.items()}


def _dropped(counts: Counts) -> dict[str, int]:
    """Return the counts in the rejects file by reason: rejected turns, then pairs that filters or passes dropped."""
    dropped = {reason: number for reason, number in sorted(counts.turns.rejected.items()) if number}
    of_pairs = {**counts.pairs.rejected, Reason.DUPLICATE: counts.pairs.duplicates}
    filtered = sorted(reason for reason in of_pairs if reason.startswith(PAIR_REASON))
    return dropped | {reason: of_pairs[reason] for reason in (*filtered, *_PAIR_REASONS) if of_pairs.get(reason)}


def sample_pairs(done: Mapping[str, SourceReport], out: Path) -> Iterator[Sample]:
    """Yield three rows of the outputs, from three sources if at least three have rows.

    Fewer rows are yielded if lines are too long, or if an output has fewer rows or was removed.
    """
    names = [name for name, report in done.items() if not report.error and report.counts.pairs.written]
    chosen = Counter(names[number * len(names) // _SAMPLES] for number in range(_SAMPLES if names else 0))
    for name, number in chosen.items():
        try:
            with (out / f"{name}.tsv").open("rb") as stream:
                lines = [stream.readline(_LONGEST).decode("utf-8", "ignore") for _ in range(number)]
        except OSError:  # removed meanwhile; the summary leaves it out
            continue
        for row, line in enumerate(lines, 1):
            query, tab, answer = line.rstrip("\n").partition("\t")
            if tab and line.endswith("\n"):
                yield name, row, query, answer


def _shown(samples: Sequence[Sample]) -> str:
    """Return sample pairs as text in three columns, cut to the width of the terminal."""
    addresses = [f"{name}.tsv:{row}" for name, row, *_ in samples]
    first = max(map(width, addresses))
    room = max((shutil.get_terminal_size().columns - first - 9) // 2, 16)
    queries = [cut(query, room) for _, _, query, _ in samples]
    second = max(map(width, queries))
    lines = [
        f"  {padded(address, first)}  {padded(query, second)}  ->  {cut(answer, room)}"
        for address, query, (*_, answer) in zip(addresses, queries, samples, strict=True)
    ]
    return "\n".join(["", translate(message("Sample pairs:")), *lines, ""])


def written(done: Mapping[str, SourceReport], out: str) -> Message:
    """Return the message with the files that a run has written."""
    made = [name for name, report in done.items() if not (report.error or report.unchanged)]
    if not made:
        return message("written to {folder}: only report.json", folder=out)
    if len(made) == len(done):
        return message(
            "written to {folder}: {sources}, each with its .tsv, rejects and index; report.json",
            folder=out,
            sources=count_noun(len(made), "source"),
        )
    return message(
        "written to {folder}: {files}, with rejects and index; report.json",
        folder=out,
        files=joined(", ", [f"{name}.tsv" for name in made]),
    )


def next_steps(
    done: Mapping[str, SourceReport], settings: Settings, samples: Sequence[Sample], program: str, *, failed: bool
) -> str:
    """Return the next steps: commands to run and files to look at, each with its purpose."""
    out = settings.out
    steps: list[tuple[str, Message]] = []
    if failed:
        has_raw = added.has_raw(settings)
        raw, own = message("what the raw folder contains, and what to do about it"), message("what your files contain")
        steps.append((f"{program} {added.check_command(settings)}", raw if has_raw else own))
    if samples:
        name, row, *_ = samples[0]
        command = f"{program} trace {quote(f'{out}/{name}.tsv:{row}')}"
        steps.append((command, message("where this row comes from, step by step")))
    rejecting = [name for name, report in done.items() if not report.error and _dropped(report.counts)]
    if rejecting:
        path = f"{out}/rejects/{rejecting[0]}.jsonl"
        steps.append((path, message("what was dropped, with reason and raw text")))
    if (Path(out) / PAGE).is_file():
        steps.append((f"{out}/{PAGE}", message("figures, samples and all counts: open it in a browser")))
    else:
        steps.append((f"{out}/report.json", message("all counts, settings and versions")))
    if any(report.found.sample for report in done.values()):
        text = message("these were the bundled samples: put real corpora into a folder and name it")
        steps.append((f"{program} --raw {translate(message('FOLDER'))}", text))
    first = max(width(step) for step, _ in steps)
    return "\n".join(
        [translate(message("Next:")), *(f"  {padded(step, first)}  {translate(purpose)}" for step, purpose in steps)]
    )
