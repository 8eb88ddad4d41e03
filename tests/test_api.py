"""The Python interface: frames with the documented columns."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import chat_corpus
from chat_corpus import sources, versions
from chat_corpus.api import compare, dialogues, explain, export, load, normalize, pairs, run, trace, turns
from chat_corpus.errors import ChatCorpusError, IncompleteError, UsageError
from chat_corpus.outputs import dialogue_store
from chat_corpus.schema import TURNS, Markup, Segmentation, Traits
from chat_corpus.settings import loading
from tests.conftest import SAMPLES, slow_from
from tests.helpers import invoke, put

NAMES = sorted(sources.load())
PAIRS = {
    "query": pl.String(), "answer": pl.String(), "query_file": pl.String(), "query_record": pl.UInt32(),
    "answer_file": pl.String(), "answer_record": pl.UInt32(),
}  # fmt: skip


@pytest.mark.parametrize("name", slow_from(5, NAMES))
def test_turns_and_pairs_are_frames_of_the_same_columns_for_every_source(name: str) -> None:
    for frame in turns(name, SAMPLES):
        assert dict(frame.select(TURNS.names()).schema) == dict(TURNS)
        assert {"raw": pl.String(), "file": pl.String()}.items() <= dict(frame.schema).items()
        assert frame.filter(pl.col("reason").is_null() & (pl.col("text").is_null() | (pl.col("text") == ""))).is_empty()
    for frame in pairs(name, SAMPLES):
        assert dict(frame.schema) == PAIRS
        assert frame.null_count().sum_horizontal().item() == 0


@pytest.fixture(scope="module")
def repeated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a run over the samples that also writes repeated pairs."""
    folder = tmp_path_factory.mktemp("repeated")
    config = put(folder, {"my.yaml": "dedup: {exact: never}\n"}) / "my.yaml"
    assert invoke("-q", "--config", config, "--raw", SAMPLES, "--out", folder / "out").exit_code == 0
    return folder / "out"


@pytest.mark.parametrize("name", slow_from(5, NAMES[::-1]))
def test_pairs_equal_the_output_of_the_program(name: str, repeated: Path) -> None:
    rows = pl.concat(pairs(name, SAMPLES)).select("query", "answer").rows()
    written = [tuple(cell.replace("\n", "\\n").replace("\t", " ") for cell in row) for row in rows]
    assert written == [
        tuple(line.split("\t")) for line in (repeated / f"{name}.tsv").read_text("utf-8").split("\n")[:-1]
    ]


def test_addresses_lead_to_the_raw_lines(tmp_path: Path) -> None:
    raw = put(tmp_path, {"deep/tieba.dialogues": "甲\t乙\n太 多 栏\n丙\t丁\n"})
    (frame,) = pairs("tieba", raw)
    assert frame.rows() == [
        ("甲", "乙", "deep/tieba.dialogues", 1, "deep/tieba.dialogues", 1),
        ("丙", "丁", "deep/tieba.dialogues", 3, "deep/tieba.dialogues", 3),
    ]
    (read,) = turns("tieba", raw)
    assert read.filter(pl.col("reason") == "fields").select("file", "record").rows() == [("deep/tieba.dialogues", 2)]


def test_a_config_applies_to_frames_too(tmp_path: Path) -> None:
    raw = put(tmp_path, {"lost.conv": "E\nM 一\nM 二\nM 三\n", "my.yaml": "pairs: {mode: first}\n"})
    (frame,) = pairs("subtitle", str(raw), config=[str(raw / "my.yaml")])
    assert frame.select("query", "answer").rows() == [("一", "二"), ("一", "三")]


@pytest.mark.parametrize("function", [turns, pairs])
def test_wrong_arguments_raise_usage_errors(function: object, tmp_path: Path) -> None:
    assert callable(function)
    with pytest.raises(UsageError, match="no source is named 'wiebo'; the sources are: belle, "):
        next(function("wiebo", SAMPLES))
    with pytest.raises(UsageError, match="no such folder"):
        next(function("weibo", tmp_path / "none"))
    with pytest.raises(UsageError, match=r"none\.yaml: no such file"):
        next(function("weibo", SAMPLES, config=[tmp_path / "none.yaml"]))


@pytest.mark.parametrize("function", [turns, pairs])
def test_an_absent_corpus_is_an_error_with_instructions_to_obtain_it(function: object, tmp_path: Path) -> None:
    assert callable(function)
    with pytest.raises(ChatCorpusError, match=r"ptt: absent in .*; copy data/Gossiping-QA-Dataset-2_0"):
        next(function("ptt", tmp_path))


def test_normalize_takes_texts_and_traits_and_settings() -> None:
    assert normalize(["這裡  有人嗎？", None, ""]).to_list() == ["这里 有人吗？", None, ""]
    assert normalize([]).dtype == pl.String()
    segmented = Traits(segmentation=Segmentation.BLANK, markup=frozenset({Markup.MICROBLOG}))
    assert normalize(["今天 真 好 alink"], segmented).to_list() == ["今天真好"]
    settings = loading.load([], {"text": {"link_words": "placeholder"}, "script": {"mode": "none"}})
    assert normalize(["這 是 alink"], segmented, settings).to_list() == ["這是<LINK>"]
    assert normalize(iter(["一", "二"])).to_list() == ["一", "二"]


def test_trace_explain_and_compare_work_like_the_commands(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "在嗎\t在\n\n看 www.a.cn\t好\n"})
    config = put(tmp_path, {"my.yaml": "text: {links: remove}\n"}) / "my.yaml"
    old, new = tmp_path / "old", tmp_path / "new"
    assert invoke("-q", "--raw", raw, "--out", old).exit_code == 0
    assert invoke("-q", "--raw", raw, "--out", new, "--config", config).exit_code == 0
    rows = trace(old / "tieba.tsv", 2, 1)
    assert [(row.row, row.query.at.record) for row in rows] == [(2, 3), (1, 1)]
    record, other = explain(raw / "tieba.dialogues", 1, 2, out=old)
    assert [(turn.said.text, turn.pairs[0].row) for turn in record.turns] == [("在吗", 1), ("在", 1)]
    assert other.turns == ()
    (compared,) = compare(str(old), str(new))
    assert [(cause.cause, cause.rows) for cause in compared.causes] == [("step links", 1)]
    moved = raw.rename(tmp_path / "moved")
    assert trace(str(old / "tieba.tsv"), 1, raw=moved)[0].line == "在吗\t在"
    assert explain("tieba.dialogues", 1, out=str(old), raw=str(moved)) == [record]
    with pytest.raises(UsageError, match="name its new location with --raw"):
        trace(old / "tieba.tsv", 1)
    with pytest.raises(UsageError, match=r"no such \.tsv file"):
        trace(old, 1)
    with pytest.raises(UsageError, match=r"no \.tsv files"):
        list(compare(raw.parent, new))


@pytest.mark.parametrize(
    "before", ["", "import chat_corpus.settings.loading; "], ids=["first of all", "after other imports"]
)
def test_the_documented_import_brings_functions(before: str) -> None:
    code = f"{before}from chat_corpus import normalize, pairs, sources, turns; print(*map(callable, (pairs, turns)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "True True\n"


def test_the_package_has_exactly_the_names_of_all() -> None:
    names_of_all = [
        "__version__", "compare", "dialogues", "explain", "export", "load", "normalize", "pairs", "run", "sources",
        "trace", "turns",
    ]  # fmt: skip
    assert chat_corpus.__all__ == names_of_all
    assert set(names_of_all) <= set(dir(chat_corpus))
    assert chat_corpus.__version__ == versions.installed("chat-corpus")
    with pytest.raises(AttributeError, match="module 'chat_corpus' has no attribute 'nothing'"):
        _ = chat_corpus.nothing  # type: ignore[attr-defined]
    names: dict[str, object] = {}
    exec("from chat_corpus import *", names)  # noqa: S102 what users of a notebook type
    assert set(chat_corpus.__all__) <= set(names)


def test_importing_the_package_does_not_import_polars() -> None:
    code = (
        "import sys, chat_corpus; before = 'polars' in sys.modules; chat_corpus.normalize; "
        "print(before, 'polars' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False True\n"


TWICE = "題目\t答案\n甲\t乙\n題目\t答案\n"


def test_load_gives_the_rows_of_the_tsv_as_one_frame(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"Gossiping-QA-Dataset.txt": TWICE})
    rows = load("ptt", raw=raw)
    assert dict(rows.schema) == PAIRS
    assert rows.select("query", "answer", "query_record").rows() == [("题目", "答案", 1), ("甲", "乙", 2)]
    kept = load("ptt", raw=raw, settings={"dedup": {"exact": "never"}, "script": {"mode": "none"}})
    assert kept["query"].to_list() == ["題目", "甲", "題目"]
    with pytest.raises(UsageError, match=r"unknown key 'filtres'; did you mean 'filters'\?"):
        load("ptt", raw=raw, settings={"filtres": {}})
    with pytest.raises(IncompleteError, match="tieba: absent"):
        load("tieba", raw=raw)


def test_dialogues_are_the_rows_of_the_store_that_run_writes(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", {"Gossiping-QA-Dataset.txt": TWICE}), tmp_path / "out"
    report = run("ptt", raw=raw, out=out, settings={"store_dialogues": True})
    assert list(report.sources) == ["ptt"]
    read = dialogues("ptt", raw=raw)
    assert read.schema == dialogue_store.SCHEMA
    assert read.equals(dialogues("ptt", out=out))
    with pytest.raises(UsageError, match="run with --store-dialogues"):
        dialogues("tieba", out=out)


def test_export_gives_the_manifest_that_it_writes(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", {"Gossiping-QA-Dataset.txt": TWICE}), tmp_path / "out"
    with pytest.raises(IncompleteError, match="no dialogue stores"):
        export(tmp_path / "none", out=out)
    options = {"export": {"formats": ["messages"]}}
    summary = export(tmp_path / "raw-export", "ptt", raw=raw, out=out, settings=options)
    assert (summary.rows, summary.sources[0].ledger.records_dropped) == (2, {"duplicate": 1})
    run("ptt", raw=raw, out=out, settings={"store_dialogues": True})
    stored = export(tmp_path / "stored-export", out=out, settings=options)
    assert [one for one in stored.files if one.split] == [one for one in summary.files if one.split]
    with pytest.raises(IncompleteError, match="tieba: not in"):
        export(tmp_path / "two", "tieba", out=out)
