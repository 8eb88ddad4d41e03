"""The Python interface: the pipeline's frames and what is told of its outputs, for notebooks and other programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
from msgspec.structs import replace

from chat_corpus import sources
from chat_corpus.discovery.added import settle_all
from chat_corpus.discovery.inventory import survey
from chat_corpus.errors import IncompleteError, UsageError
from chat_corpus.lineage import compare as comparing
from chat_corpus.lineage import open_run
from chat_corpus.lineage import trace as tracing
from chat_corpus.lineage.comparison_model import Compared
from chat_corpus.pipeline import process, script
from chat_corpus.pipeline.shard import Shard
from chat_corpus.pipeline.text import normalizer
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.schema import Traits
from chat_corpus.settings.loading import load
from chat_corpus.settings.model import Settings


def turns(
    source: str, raw: str | Path = "raw_chat_corpus", config: str | Path | Iterable[str | Path] = ()
) -> Iterator[pl.DataFrame]:
    """The turns of a source, one frame a shard: the columns of `schema.TURNS` with clean text, and `file` and `raw`.

    `raw` is the text as it was read, `before_conversion` the clean text before script conversion; `dialogue_id`
    counts anew in each shard. Rejected turns are there too, with their `reason`. Raises, when the first frame is
    requested, UsageError for an unknown source or a faulty config, IncompleteError where the corpus is absent,
    ChatCorpusError where a file cannot be read.
    """
    for shard, outcome in _outcomes(source, raw, config):
        yield outcome.turns.with_columns(file=_files(shard, outcome.turns["file_index"]))


def pairs(
    source: str, raw: str | Path = "raw_chat_corpus", config: str | Path | Iterable[str | Path] = ()
) -> Iterator[pl.DataFrame]:
    """The pairs of a source, one frame a shard: `query, answer, query_file, query_record, answer_file, answer_record`.

    The same pair in two shards comes twice; `python main.py` writes it once where the source asks for it. Raises as
    `turns` does.
    """
    for shard, outcome in _outcomes(source, raw, config):
        found = outcome.pairs
        named = {f"{side}_file": _files(shard, found[f"{side}_file_index"]) for side in ("query", "answer")}
        yield found.with_columns(**named).select(
            "query", "answer", "query_file", "query_record", "answer_file", "answer_record"
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
    clean = normalizer.normalize(pl.Series("text", list(texts), dtype=pl.String), settings.text, traits)
    return script.load(settings.script).convert(clean, declared=traits.script)["text"]


def trace(
    tsv: str | Path, *rows: int, raw: str | Path | None = None, plugins: Iterable[str | Path] = ()
) -> list[tracing.Row]:
    """Where rows of an output, from 1, came from; `raw` is where the raw files are now, if not where the report says.

    `plugins` are the Python files that the output was made with: they are run again, and no other.

    Raises UsageError where there is no such row or no report, ChatCorpusError where raw files, settings, code or the
    output have changed since.
    """
    written = open_run.load_of(Path(tsv), _name(raw), [str(file) for file in plugins])
    return [tracing.trace(written, row) for row in rows]


def explain(
    file: str | Path,
    *records: int,
    out: str | Path = "clean_chat_corpus",
    raw: str | Path | None = None,
    plugins: Iterable[str | Path] = (),
) -> list[tracing.Record]:
    """What became of raw records, from 1, in the outputs under `out`; `file` is a path, or a name as reports have it.

    Raises UsageError where no such record was read, and else as `trace`.
    """
    written, name = open_run.find(str(file), Path(out), _name(raw), [str(one) for one in plugins])
    return [tracing.explain(written, name, record) for record in records]


def compare(
    old: str | Path,
    new: str | Path,
    *,
    raw: str | Path | None = None,
    examples: int = 2,
    shards: int = 32,
    plugins: Iterable[str | Path] = (),
) -> Iterator[Compared]:
    """In what the files of pairs of two output folders are not the same, and why, source by source.

    Up to `examples` rows are given for each kind and cause; up to `shards` shards of a source are done again to find
    causes, 0 for all. Raises UsageError, when the first is asked for, where a folder holds no file of pairs.
    """
    named = [str(file) for file in plugins]
    return comparing.compare(Path(old), Path(new), _name(raw), examples=examples, most=shards, plugins=named)


def _name(folder: str | Path | None) -> str | None:
    return None if folder is None else str(folder)


def _outcomes(
    name: str, raw: str | Path, config: str | Path | Iterable[str | Path]
) -> Iterator[tuple[Shard, process.ShardResult]]:
    files = [config] if isinstance(config, str | Path) else config
    settings = load([Path(file) for file in files])
    settings = replace(settings, corpora=settle_all(settings.corpora))
    known = sources.load(settings.plugins, settings.added)
    if name not in known:
        raise UsageError(f"no source named {name!r}; there are {', '.join(known)}")
    found = survey(Path(raw), known, settings.added)[name]
    if not found.groups:
        raise IncompleteError("; ".join([f"{name}: {found.state} under {raw}", *found.damaged, found.source.obtain]))
    plan = ShardPlanner(found=found, settings=settings)
    for shard in plan.shards():
        yield shard, process.process_shard(shard, found.source, settings.of(name))


def _files(shard: Shard, parts: pl.Series) -> pl.Series:
    return pl.Series("file", [piece.file.name for piece in shard.pieces])[parts]
