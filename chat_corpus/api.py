"""The Python interface: the pipeline's frames, for use in notebooks and other programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from chat_corpus import pipeline, script, sources
from chat_corpus.errors import IncompleteError, UsageError
from chat_corpus.plan import Plan, Shard
from chat_corpus.schema import Traits
from chat_corpus.settings import Settings, load
from chat_corpus.survey import survey
from chat_corpus.text import steps


def turns(
    source: str, raw: str | Path = "raw_chat_corpus", config: str | Path | Iterable[str | Path] = ()
) -> Iterator[pl.DataFrame]:
    """The turns of a source, one frame a shard: the columns of `schema.TURNS` with clean text, and `file` and `raw`.

    `raw` is the text as it was read, `unconverted` the clean text before script conversion; `dialogue` counts anew in
    each shard. Rejected turns are there too, with their `reason`. Raises, when the first frame is asked for, UsageError
    for an unknown source or a faulty config, IncompleteError where the corpus is absent, ChatCorpusError where a file
    cannot be read.
    """
    for shard, outcome in _outcomes(source, raw, config):
        yield outcome.turns.with_columns(file=_files(shard, outcome.turns["part"]))


def pairs(
    source: str, raw: str | Path = "raw_chat_corpus", config: str | Path | Iterable[str | Path] = ()
) -> Iterator[pl.DataFrame]:
    """The pairs of a source, one frame a shard: `query, answer, query_file, query_line, answer_file, answer_line`.

    The same pair in two shards comes twice; `python main.py` writes it once where the source asks for it. Raises as
    `turns` does.
    """
    for shard, outcome in _outcomes(source, raw, config):
        found = outcome.pairs
        named = {f"{side}_file": _files(shard, found[f"{side}_part"]) for side in ("query", "answer")}
        yield found.with_columns(**named).select(
            "query", "answer", "query_file", "query_line", "answer_file", "answer_line"
        )


def normalize(texts: Iterable[str | None], traits: Traits | None = None, settings: Settings | None = None) -> pl.Series:
    """Texts through the text steps and the script conversion, as turns of a source with these traits.

    `traits` are those of a source, `sources.load()["weibo"].traits`, or by default those of plain simplified text.
    Raises TypeError for a single text.

    >>> normalize(["這裡  有人嗎？", None]).to_list()
    ['这里 有人吗？', None]
    """
    if isinstance(texts, str):
        raise TypeError("a list of texts expected, a single one met: normalize([text])")
    traits, settings = traits or Traits(), settings or load()
    clean = steps.normalize(pl.Series("text", list(texts), dtype=pl.String), settings.text, traits)
    return script.load(settings.script).convert(clean, declared=traits.script)["text"]


def _outcomes(
    name: str, raw: str | Path, config: str | Path | Iterable[str | Path]
) -> Iterator[tuple[Shard, pipeline.Outcome]]:
    files = [config] if isinstance(config, str | Path) else config
    settings = load([Path(file) for file in files])
    known = sources.load(settings.plugins)
    if name not in known:
        raise UsageError(f"no source named {name!r}; there are {', '.join(known)}")
    found = survey(Path(raw), known)[name]
    if not found.groups:
        raise IncompleteError("; ".join([f"{name}: {found.state} under {raw}", *found.damaged, found.source.obtain]))
    plan = Plan(found=found, settings=settings)
    for shard in plan.shards():
        yield shard, pipeline.process(shard, settings)


def _files(shard: Shard, parts: pl.Series) -> pl.Series:
    return pl.Series("file", [piece.file.name for piece in shard.pieces])[parts]
