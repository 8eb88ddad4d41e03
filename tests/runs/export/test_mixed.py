"""Exports without leaks, with mixes and subsets: what is held is counted, and what is written is in its place."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat_corpus.exports import near_twins
from chat_corpus.exports.mix_options import MixOptions
from chat_corpus.exports.mixing import MixPlan, plan_mix
from chat_corpus.runs.export import chunks, flow, run
from chat_corpus.runs.export.mixed import TrainMix
from tests.conftest import ROOT, examples
from tests.helpers import invoke, put, visible
from tests.runs.export.invented import corpora, export, index, manifest, records

SPLIT = ("--split", "test=0.1,validation=0.1")
MIX = ("--mix", "temperature=0.5", "--subset", "20,60,all")


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Invented corpora in which tieba has many near twins."""
    folder = corpora(tmp_path_factory.mktemp("raw"))
    with (folder / "tieba.dialogues").open("a") as stream:
        stream.write(
            "".join(f"我们明天晚上去哪里吃火锅好呢{number}\t还是老地方吧那家店不错{number}\n" for number in range(40))
        )
    return folder


@pytest.fixture(scope="module")
def stored(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("stored")
    assert invoke("-q", "--raw", raw, "--out", out, "--store-dialogues").exit_code == 0
    return out


@pytest.fixture(scope="module")
def split(stored: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports") / "split"
    export(folder, "--out", stored, *SPLIT, "--check")
    return folder


@pytest.fixture(scope="module")
def mixed(stored: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports") / "mixed"
    export(folder, "--out", stored, *SPLIT, *MIX, "--format", "messages,gpt2-chitchat,tsv", "--check")
    return folder


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 900)
    monkeypatch.setattr(flow, "FILE_BYTES", 400)
    monkeypatch.setattr(near_twins, "INDEX_PAIRS", 7)


def _twins(rows: pl.DataFrame) -> set[tuple[str, str]]:
    """Every record of train that resembles one of another split, by comparing all with all."""

    def grams(messages: pl.Series) -> list[tuple[int, set[str]]]:
        pairs = near_twins.pair_texts(messages)
        texts = [{text[at : at + 2] for at in range(len(text) - 1)} for text in pairs["text"]]
        return list(zip(pairs["row"], texts, strict=True))

    train, others = rows.filter(pl.col("split") == "train"), rows.filter(pl.col("split") != "train")
    return {
        (str(train["id"][row]), str(others["id"][other]))
        for row, mine in grams(train["messages"])
        for other, theirs in grams(others["messages"])
        if 5 * len(mine & theirs) >= 4 * len(mine | theirs)
    }


def test_near_twins_of_evaluation_are_held_with_its_id_and_no_others(split: Path) -> None:
    rows = records(split)
    assert _twins(rows) == set()
    held = pl.concat([pl.read_ndjson(path) for path in (split / "held").iterdir()]).with_columns(split=pl.lit("train"))
    assert len(held) > 5
    found = _twins(pl.concat([rows, held.select(rows.columns)]))
    assert set(held.select("id", "resembles").rows()) <= found
    assert {name for name, _ in found} == set(held["id"])
    entries = index(split).filter(pl.col("reason") == "held_twin")
    assert set(entries.select("id", "resembles").rows()) == set(held.select("id", "resembles").rows())
    ledgers = {one["name"]: one["ledger"]["records_dropped"] for one in manifest(split)["sources"]}
    assert sum(one.get("held_twin", 0) for one in ledgers.values()) == len(held)


def test_what_check_export_finds_of_leaks(split: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(split, tmp_path / "leak")
    held = pl.read_ndjson(next((folder / "held").glob("tieba.jsonl"))).select("messages", "source", "id")
    path = folder / "data" / "tieba" / "train-00000.parquet"
    pl.concat([pl.read_parquet(path), held[:1]]).sort(pl.col("id")).write_parquet(path)
    done = invoke("check-export", folder)
    assert done.exit_code == 1
    assert "twins: resembles" in done.stdout + done.stderr


def test_a_benchmark_holds_what_resembles_it_and_nothing_else(stored: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    export(plain, "--out", stored)
    some = records(plain).filter(pl.col("source") == "weibo").sort("id")[:2]
    rows = [{"query": one[0]["content"] + "！", "response": one[1]["content"]} for one in some["messages"].to_list()]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path = put(tmp_path, {"bench.jsonl": text}) / "bench.jsonl"
    export(tmp_path / "clean", "--out", stored, "--decontaminate", path)
    gone = set(records(plain)["id"]) - set(records(tmp_path / "clean")["id"])
    assert gone >= set(some["id"])
    entries = index(tmp_path / "clean").filter(pl.col("reason") == "held_twin")
    assert set(entries["id"]) == gone
    assert set(entries["resembles"]) == {"bench.jsonl:1", "bench.jsonl:2"}
    document = manifest(tmp_path / "clean")
    assert [one["file"] for one in document["evaluation"]] == ["bench.jsonl"]
    assert str(tmp_path) not in json.dumps(document)


def test_a_mix_is_in_the_order_of_its_plan_and_subsets_are_its_beginnings(mixed: Path, split: Path) -> None:
    document = manifest(mixed)["mix"]
    train = records(mixed).filter(pl.col("split") == "train")
    plan = MixPlan(sizes=document["available"], weights=document["weights"])
    assert train["source"].to_list() == plan.sources(0, plan.total)
    apart = records(split)
    for source in document["available"]:
        own = apart.filter((pl.col("source") == source) & (pl.col("split") == "train")).sort(pl.col("id"))
        assert train.filter(pl.col("source") == source)["id"].to_list() == own["id"].to_list()
    assert [(one["name"], one["rows"]) for one in document["subsets"]] == [("n20", 20), ("n60", 60)]
    for one in document["subsets"]:
        rows = pl.concat([pl.read_parquet(mixed / path) for path in one["files"]])
        assert rows["id"].to_list() == train["id"][: one["rows"]].to_list()
        assert dict(rows["source"].value_counts().iter_rows()) == {
            name: number for name, number in one["sources"].items() if number
        }
    assert set(records(mixed).select("id", "split").rows()) == set(apart.select("id", "split").rows())


@pytest.mark.parametrize("shares", ["equal", "natural", "temperature=0.5"])
def test_files_of_a_mix_have_about_the_same_bytes_though_a_source_ends(shares: str) -> None:
    options = MixOptions(shares=shares, subsets=("3k", "all"))
    plan = plan_mix(options, {"long": 1000, "middle": 20_000, "short": 40_000})
    sizes = {"long": 5000.0, "middle": 300.0, "short": 100.0}
    mix = TrainMix(options=options, plan=plan, rows=plan.total, subsets={"n3k": 3000})
    cuts = mix.cuts(sizes, 500_000)
    assert cuts == sorted({0, 3000, plan.total, *cuts})
    ranks = [plan.ranks(cut) for cut in cuts]
    made = [
        sum((after[name] - before[name]) * size for name, size in sizes.items()) for before, after in pairwise(ranks)
    ]
    assert max(made) <= 500_000 + 5000
    assert len(made) <= -(-sum(made) // 500_000) + 1


def test_libraries_load_the_subsets(mixed: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    whole = datasets.load_dataset(str(mixed), cache_dir=str(tmp_path))
    part = datasets.load_dataset(str(mixed), "n60", cache_dir=str(tmp_path))
    assert part["train"]["id"] == whole["train"][:60]["id"]
    assert part["test"].num_rows == whole["test"].num_rows


def test_records_after_the_largest_subset_are_held_and_counted(stored: Path, tmp_path: Path) -> None:
    export(tmp_path / "export", "--out", stored, *SPLIT, "--subset", "20,60")
    train = records(tmp_path / "export").filter(pl.col("split") == "train")
    assert len(train) == 60
    ledgers = [one["ledger"] for one in manifest(tmp_path / "export")["sources"]]
    held = sum(one["records_dropped"].get("held_mix", 0) for one in ledgers)
    assert held == index(tmp_path / "export").filter(pl.col("reason") == "held_mix").height > 50


def test_no_source_has_more_than_the_largest_share(stored: Path, tmp_path: Path) -> None:
    export(tmp_path / "export", "--out", stored, *SPLIT, "--max-share", "0.3")
    train = records(tmp_path / "export").filter(pl.col("split") == "train")
    counts = dict(train["source"].value_counts().iter_rows())
    assert max(counts.values()) <= 0.3 * len(train)
    assert "use 0.334 or more" in export(
        tmp_path / "few", "--out", stored, "--max-share", "0.3", "-s", "ptt,tieba,weibo", code=2
    )
    assert not (tmp_path / "few").exists()


@pytest.mark.slow
def test_a_subset_that_train_has_not_rows_for_is_named(stored: Path, tmp_path: Path) -> None:
    stderr = export(tmp_path / "export", "--out", stored, "--subset", "10,1m", code=3)
    assert "no subset of 1,000,000 records" in stderr
    assert [one["name"] for one in manifest(tmp_path / "export")["mix"]["subsets"]] == ["n10"]


@pytest.mark.usefixtures("small")
def test_bytes_do_not_depend_on_who_does_the_work(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    formats = ("--format", "messages,gpt2-chitchat,tsv,parlai")
    export(tmp_path / "one", "--raw", raw, *SPLIT, *MIX, *formats, "--workers", "1", "--check")
    assert len(list((tmp_path / "one" / "data" / "mixed").glob("train-*"))) > 4
    monkeypatch.setattr(run, "ROWS_PER_TASK", 1)
    export(tmp_path / "two", "--raw", raw, *SPLIT, *MIX, *formats, "--workers", "2")
    assert visible(tmp_path / "one") == visible(tmp_path / "two")


@pytest.mark.usefixtures("small")
def test_chunks_and_files_of_any_size_hold_the_same_records(stored: Path, mixed: Path, tmp_path: Path) -> None:
    export(tmp_path / "small", "--out", stored, *SPLIT, *MIX, "--check")
    assert records(tmp_path / "small").equals(records(mixed))
    assert index(tmp_path / "small").equals(index(mixed))


_NAMES = ("douban", "ptt", "tieba", "weibo")


@settings(max_examples=examples(2), deadline=None, suppress_health_check=list(HealthCheck))
@given(names=st.permutations(_NAMES), count=st.integers(1, 4))
def test_other_sources_and_their_order_move_no_record_between_splits(
    names: list[str], count: int, stored: Path, split: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Other sources can only hold a record, as near twin or duplicate, or set it free again."""
    folder, chosen = tmp_path_factory.mktemp("some") / "export", names[:count]
    export(folder, "--out", stored, *SPLIT, *(word for name in chosen for word in ("-s", name)))
    before = records(split).select("id", "split")
    after = records(folder).select("id", "split")
    both = before.join(after, on="id", how="inner", suffix="_after")
    assert both["split"].equals(both["split_after"])
    own = before.filter(pl.col("id").str.contains(f"^({'|'.join(chosen)})-"))
    assert set(own["id"]) <= set(after["id"])
    if set(chosen) == set(_NAMES):
        assert visible(folder / "data") == visible(split / "data")


_KILL = """
import os, signal, sys
from chat_corpus.runs.export import {module} as module
from chat_corpus.cli.main import main
def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)
module.{name} = killed
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("module", "name"), [("flow", "hold_twins"), ("flow", "ranges_of_cuts"), ("flow", "held_file")]
)
def test_a_killed_export_is_made_by_the_same_command_again(
    module: str, name: str, stored: Path, mixed: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    arguments = ["export", str(folder), "-q", "--out", str(stored), *SPLIT, *MIX]
    arguments += ["--format", "messages,gpt2-chitchat,tsv"]
    command = [sys.executable, "-c", _KILL.format(module=module, name=name), *arguments]
    assert subprocess.run(command, check=False, cwd=ROOT).returncode == -signal.SIGKILL
    assert not (folder / "manifest.json").exists()
    assert invoke(*arguments).exit_code == 0
    assert visible(folder) == visible(mixed)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--mix", "even"), "natural, equal"),
        (("--mix", "ptt=1"), "no weight for douban, tieba, weibo"),
        (("--subset", "10q"), "is no size"),
        (("--max-share", "0.1"), "use 0.25 or more"),
        (("--decontaminate", "none.jsonl"), "no such file"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_made(
    flags: tuple[str, ...], message: str, stored: Path, tmp_path: Path
) -> None:
    assert message in export(tmp_path / "export", "--out", stored, *flags, code=2)
    assert not (tmp_path / "export").exists()


def test_what_is_held_and_mixed_is_said(stored: Path, tmp_path: Path) -> None:
    flags = ("--max-groups", "2", "--mix", "equal", "--subset", "20,all")
    done = invoke("export", tmp_path / "export", "--out", stored, *SPLIT, *flags)
    assert done.exit_code == 0
    assert "--max-groups 0 switches the cap off" in done.stderr
    assert "held/<source>.jsonl" in done.stderr
    assert "25.0 %" in done.stderr


@pytest.mark.usefixtures("small")
def test_preferences_are_the_wrong_responses_of_the_source_each_once(stored: Path, tmp_path: Path) -> None:
    export(tmp_path / "export", "--out", stored, *SPLIT, "--format", "preference", "--check")
    files = sorted((tmp_path / "export" / "preference").rglob("*.jsonl"))
    assert {path.parent.name for path in files} == {"douban"}
    rows = pl.concat([pl.read_ndjson(path) for path in files]).to_dicts()
    store = pl.read_parquet(stored / "dialogues" / "douban.parquet")
    wrong = store.filter(pl.col("reason") == "negative")
    contexts = {
        text: own["text"].to_list()[:-1] for own in store.partition_by("dialogue_id") for text in own["text"].to_list()
    }
    found = [row["rejected"][0]["content"] for row in rows]
    assert len(set(found)) == len(found) > 10
    assert set(found) <= set(wrong["text"])
    for row in rows:
        assert row["prompt"][-1]["content"] in contexts[row["rejected"][0]["content"]]
        assert row["chosen"][0]["content"] in store.filter(pl.col("reason").is_null())["text"]
    usable = store.filter(pl.col("reason").is_null() & (pl.col("turn_index") > 0))
    with_right = wrong.join(usable, on=("dialogue_id", "turn_index"), how="semi")
    assert len(found) <= len(with_right)


def test_what_check_export_finds_of_preferences(stored: Path, tmp_path: Path) -> None:
    export(tmp_path / "export", "--out", stored, "--format", "preference")
    path = tmp_path / "export" / "preference" / "douban" / "train.jsonl"
    first, second, rest = path.read_text("utf-8").split("\n", 2)
    path.write_text(
        "\n".join([first.replace('"chosen"', '"choice"'), second.replace("答", "否").replace(" ", "", 1), rest])
    )
    done = invoke("check-export", tmp_path / "export")
    assert done.exit_code == 1
    assert "preference/douban/train.jsonl:1: record" in done.stdout + done.stderr
