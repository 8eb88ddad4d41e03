"""Draw samples for a page: pairs and rejects of an output of any size, which is read by seeking."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from chat_corpus.messages import error_text, message, one_line
from chat_corpus.outputs import layout, sampling, shard_index
from chat_corpus.outputs.report import FinishedSource, SourceEntry
from chat_corpus.page.excerpts import LONGEST
from chat_corpus.page.masked_rejects import masking_options, without_personal
from chat_corpus.page.material import SampledPair, SampledReject, SourceSamples
from chat_corpus.pipeline.filters.options import FilterOptions

#: Maximum number of pairs, and of rejects, of a source on a page.
_ROWS = 12
#: Maximum length of a text in characters: longer than shown, so that it is cut visibly.
_FIRST = LONGEST + 1
#: Number of rejects from which those of a page are chosen, so that rare reasons are included.
_CANDIDATES = 200


def draw_samples(out: Path, sources: Mapping[str, SourceEntry]) -> dict[str, SourceSamples]:
    """Return samples of the sources with output, with the beginnings of texts.

    A source with missing files, or with files that changed since the run, has a fault in place of samples. Rejects have
    placeholders for the personal data that the settings mask.
    """
    return {name: _drawn(out, name, entry) for name, entry in sources.items() if isinstance(entry, FinishedSource)}


def _drawn(out: Path, name: str, entry: FinishedSource) -> SourceSamples:
    try:
        if changed := _changed(out, name, entry):
            return SourceSamples(fault=message("{file}: changed since the run", file=changed))
        rejects = _shown(_rejects(out, name), masking_options(entry.settings))
        return SourceSamples(pairs=tuple(_pairs(out, name)), rejects=tuple(_chosen(rejects)))
    except OSError as error:
        return SourceSamples(fault=f"{Path(error.filename or '').name}: {error.strerror or error_text(error)}")
    except (ValueError, LookupError, TypeError) as error:  # an edited file
        return SourceSamples(fault=error_text(error))


def _changed(out: Path, name: str, entry: FinishedSource) -> str | None:
    """Return the name of a file with a size that differs from the report; None if there is none. Raises OSError."""
    for path in layout.places(out, name)[:2]:
        size, _ = entry.outputs.get(path.relative_to(out).as_posix(), (None, None))
        if size is not None and path.stat().st_size != size:
            return path.name
    return None


def _pairs(out: Path, name: str) -> Iterable[SampledPair]:
    entries = shard_index.read(layout.index(out, name))
    total = entries[-1].row + entries[-1].rows - 1 if entries else 0
    rows = sampling.draw(total, _ROWS, 0, name)
    lines = sampling.read_lines(layout.places(out, name)[0], sampling.row_marks(entries), rows)
    for row, line in lines.items():
        query, answer = line.decode("utf-8", errors="backslashreplace").split("\t")
        yield SampledPair(address=f"{name}.tsv:{row + 1}", query=query[:_FIRST], answer=answer[:_FIRST])


def _rejects(out: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in sampling.draw_lines(layout.places(out, name)[1], _CANDIDATES, 0, name)]


def _shown(rejects: list[dict[str, Any]], options: FilterOptions | None) -> list[dict[str, Any]]:
    """Return the rejects with placeholders, without those that cannot be shown; all if the settings mask nothing."""
    if options is None:
        return rejects
    records = without_personal([reject.get("raw") or "" for reject in rejects], options)
    return [{**reject, "raw": raw} for reject, raw in zip(rejects, records, strict=True) if raw is not None]


def _chosen(rejects: list[dict[str, Any]]) -> list[SampledReject]:
    """Return the rejects of a page, in their order; they are chosen from each reason in turn."""
    by_reason: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for number, reject in enumerate(rejects):
        by_reason.setdefault(reject["reason"], []).append((number, reject))
    turns = chain.from_iterable(zip_longest(*(by_reason[reason] for reason in sorted(by_reason))))
    chosen = sorted([one for one in turns if one][:_ROWS], key=lambda one: one[0])
    return [
        SampledReject(
            address=one_line(f"{reject['file']}:{reject['record']}"),
            reason=reject["reason"],
            raw=(reject.get("raw") or "")[:_FIRST],
        )
        for _, reject in chosen
    ]
