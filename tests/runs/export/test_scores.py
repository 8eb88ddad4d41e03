"""The column `relatedness` of exports, and settings that exports do not depend on."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
import yaml
from polars.testing import assert_frame_equal

from chat_corpus.exports.check import check_export
from chat_corpus.exports.check_rules import SCORED
from chat_corpus.exports.exchanges import exchanges
from chat_corpus.runs.export import chunks
from tests.helpers import invoke, put, visible
from tests.runs.export.invented import corpora, export, records

SPLIT = ("--split", "test=0.1,validation=0.1")
#: Settings that decide on rows of TSVs alone.
PAIRS_ONLY = """
dedup: {exact: always, ignoring: punctuation, near: 0.8, answers_per_query: 5}
relatedness: {min: 0}
filters: {min_query_chars: 2, echo: exact}
"""


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = corpora(tmp_path_factory.mktemp("raw"), size=30)
    for path in (folder / "douban", folder / "stc_weibo_train_post", folder / "stc_weibo_train_response"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return folder


@pytest.fixture(scope="module")
def stored(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dialogue store with the scores of pairs."""
    folder = tmp_path_factory.mktemp("stored")
    config = put(folder, {"scores.yaml": "relatedness: {column: true}\n"}) / "scores.yaml"
    done = invoke("-q", "--raw", raw, "--out", folder / "out", "--store-dialogues", "--config", config)
    assert done.exit_code == 0
    return folder / "out"


@pytest.fixture(scope="module")
def scored(stored: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export with scores, of small chunks of the stores."""
    folder = tmp_path_factory.mktemp("scored") / "export"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK", 4000)
        export(folder, "--out", stored, "--relatedness", *SPLIT, "--format", "messages")
    return folder


def _scores(frame: pl.DataFrame) -> dict[tuple[str, str], float]:
    """The score of each pair of texts."""
    return {(row["query"], row["answer"]): row["relatedness"] for row in frame.to_dicts()}


def _pairs(folder: Path, source: str) -> pl.DataFrame:
    """`query, answer, relatedness` of the records of a source that are pairs."""
    frame = records(folder).filter(pl.col("source") == source)
    return exchanges(frame).with_columns(relatedness=frame["relatedness"])


def test_the_score_of_a_pair_is_that_of_the_store(stored: Path, tmp_path: Path) -> None:
    export(tmp_path / "export", "--out", stored, "-s", "ptt", "--relatedness", "--turns", "pairs", "--keep-duplicates")
    store = pl.read_parquet(stored / "dialogues" / "ptt.parquet").filter(pl.col("reason").is_null())
    both = store.group_by("dialogue_id", maintain_order=True).agg("text", pl.col("relatedness").last())
    both = both.filter(pl.col("text").list.len() == 2)
    expected = both.select("relatedness", query=pl.col("text").list.first(), answer=pl.col("text").list.last())
    assert expected["relatedness"].n_unique() > 10
    assert _scores(_pairs(tmp_path / "export", "ptt")) == _scores(expected)


def test_the_score_of_a_dialogue_is_the_mean_of_its_answers(scored: Path, stored: Path, tmp_path: Path) -> None:
    export(tmp_path / "export", "--out", stored, "-s", "tieba", "--relatedness", "--turns", "pairs")
    of_pairs = _scores(_pairs(tmp_path / "export", "tieba"))
    frame = records(scored).filter(pl.col("source") == "tieba")
    rows = exchanges(frame)
    values = [of_pairs[row["query"], row["answer"]] for row in rows.to_dicts()]
    means = rows.with_columns(value=pl.Series(values, dtype=pl.Float64)).group_by("at", maintain_order=True)
    expected = means.agg(pl.col("value").mean())["value"]
    assert rows["at"].is_duplicated().any()
    assert frame["relatedness"].null_count() < len(frame)
    assert_frame_equal(frame.select(pl.col("relatedness").cast(pl.Float64)), expected.to_frame("relatedness"))


def test_raw_corpora_and_settings_for_pairs_give_the_same_bytes(
    raw: Path, stored: Path, scored: Path, tmp_path: Path
) -> None:
    config = put(tmp_path, {"pairs.yaml": f"shard_bytes: 2500\n{PAIRS_ONLY}"}) / "pairs.yaml"
    flags = ("--relatedness", *SPLIT, "--format", "messages", "--config", config)
    unapplied = (
        "not applied: filters.min_query_chars, filters.echo, dedup.near, dedup.answers_per_query, relatedness.min;"
    )
    assert unapplied in export(tmp_path / "raw", "--raw", raw, *flags)
    assert unapplied in export(tmp_path / "stored", "--out", stored, *flags)
    expected = {name: data for name, data in visible(scored).items() if name != "manifest.json"}
    for name in ("raw", "stored"):
        assert expected.items() <= visible(tmp_path / name).items()


def test_settings_that_turns_depend_on_still_make_a_store_stale(stored: Path, tmp_path: Path) -> None:
    config = put(tmp_path, {"turns.yaml": f"{PAIRS_ONLY}pairs: {{mode: exchange}}\ntext: {{links: remove}}\n"})
    stderr = export(tmp_path / "export", "--out", stored, "--config", config / "turns.yaml", code=3)
    assert "it was made with other settings (text.links, pairs.mode);" in stderr


@pytest.mark.slow
def test_kept_duplicates_are_named_where_settings_drop_them(stored: Path, tmp_path: Path) -> None:
    config = put(tmp_path, {"exact.yaml": "dedup: {exact: always}\n"}) / "exact.yaml"
    flags = ("--out", stored, "-s", "ptt", "--config", config)
    assert "not applied" not in export(tmp_path / "dropped", *flags)
    assert "ptt: not applied: dedup.exact;" in export(tmp_path / "kept", *flags, "--keep-duplicates")


def test_the_column_is_declared_and_in_parquet_alone(scored: Path) -> None:
    assert not list(check_export(scored))
    paths = sorted((scored / "data").rglob("*.parquet"))
    assert {tuple(pl.read_parquet_schema(path).items()) for path in paths} == {tuple(SCORED.items())}
    front = yaml.safe_load((scored / "README.md").read_text("utf-8").split("---\n")[1])
    assert {tuple(one["name"] for one in info["features"]) for info in front["dataset_info"]} == {tuple(SCORED)}
    assert '"relatedness"' not in (scored / "messages" / "ptt" / "train.jsonl").read_text("utf-8")


def test_an_edited_column_is_found(scored: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(scored, tmp_path / "export")
    frame = pl.read_parquet(path := copy / "data" / "ptt" / "train-00000.parquet")
    frame.with_columns(relatedness=pl.lit(float("nan"), pl.Float32)).write_parquet(path)
    frame.drop("relatedness").write_parquet(other := copy / "data" / "tieba" / "train-00000.parquet")
    rules = {(one.path, one.rule) for one in check_export(copy)}
    assert {(f"data/ptt/{path.name}", "R5"), (f"data/tieba/{other.name}", "R4")} <= rules


@pytest.mark.slow
def test_a_column_that_the_manifest_does_not_name_is_found(stored: Path, tmp_path: Path) -> None:
    export(tmp_path / "export", "--out", stored, "-s", "ptt")
    path = tmp_path / "export" / "data" / "ptt" / "train-00000.parquet"
    pl.read_parquet(path).with_columns(relatedness=pl.lit(0.5, pl.Float32)).write_parquet(path)
    assert "R4" in {one.rule for one in check_export(tmp_path / "export")}


@pytest.mark.slow  # a mix in two processes
def test_mixes_have_scores_too(stored: Path, scored: Path, tmp_path: Path) -> None:
    flags = ("--relatedness", *SPLIT, "--mix", "natural", "--subset", "50,all", "--workers", "2", "--check")
    export(tmp_path / "mixed", "--out", stored, *flags)
    columns = ("id", "relatedness")
    mixed, separate = (records(folder).select(columns).sort("id") for folder in (tmp_path / "mixed", scored))
    assert_frame_equal(mixed, separate.filter(pl.col("id").is_in(mixed["id"].implode())))


@pytest.mark.slow  # loaders take seconds to import
def test_loaders_read_the_column(scored: Path, tmp_path: Path) -> None:
    datasets, mlcroissant = pytest.importorskip("datasets"), pytest.importorskip("mlcroissant")
    datasets.disable_progress_bars()
    loaded = datasets.load_dataset(str(scored), cache_dir=str(tmp_path))["train"]
    expected = pl.read_parquet(scored / "data" / "*" / "train-*.parquet")
    assert loaded.features["relatedness"].dtype == "float32"
    assert loaded["relatedness"][:] == expected["relatedness"].to_list()
    dataset = mlcroissant.Dataset(str(scored / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    name = next(one.id for one in dataset.metadata.record_sets if one.id.startswith("tieba_train"))
    assert all(isinstance(record[f"{name}/relatedness"], float | None) for record in dataset.records(name))
