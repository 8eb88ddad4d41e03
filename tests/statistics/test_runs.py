"""The statistics of a run: those of its TSV files, whatever the shards, and gone with what is dropped."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from chat_corpus.errors import ChatCorpusError, IncompleteError
from chat_corpus.exports import splitting
from chat_corpus.outputs import parts
from chat_corpus.outputs.report import FinishedSource, decode, report_entry
from chat_corpus.pipeline.counts import Counts
from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.runs.full_statistics import full_statistics
from chat_corpus.statistics import character_pairs, pair_keys
from chat_corpus.statistics.characters import class_of
from chat_corpus.statistics.schema import DistinctShare, Statistics
from tests.conftest import SAMPLES
from tests.helpers import invoke, put
from tests.statistics.definitions import check_distribution, check_lengths, check_texts, pairs_of


def _run(raw: Path, out: Path, *options: object) -> dict[str, Statistics]:
    result = invoke("--raw", raw, "--out", out, "--workers", 1, "-q", *options)
    assert result.exit_code in (0, 3), result.output
    entries = report_entry(out)
    return {name: entry.statistics for name, entry in entries.items()
            if isinstance(entry, FinishedSource) and isinstance(entry.statistics, Statistics)}  # fmt: skip


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a run over the samples, with dialogue stores."""
    folder = tmp_path_factory.mktemp("statistics")
    _run(SAMPLES, folder, "--store-dialogues")
    return folder


def test_every_number_is_that_of_the_files(out: Path) -> None:
    for name, entry in report_entry(out).items():
        assert isinstance(entry, FinishedSource)
        found = entry.statistics
        assert isinstance(found, Statistics)
        check_lengths(found, pairs_of(out / f"{name}.tsv"))
        store = pl.read_parquet(out / "dialogues" / f"{name}.parquet", glob=False)
        check_texts(found, store.filter(pl.col("reason").is_null())["text"].to_list())
        kept = store.filter(pl.col("reason").is_null() & pl.col("dialogue_id").is_not_null())
        turns = Counter(kept["dialogue_id"].to_list())
        check_distribution(found.turns_per_dialogue, turns.values())
        assert found.single_turn_dialogues == sum(count == 1 for count in turns.values())
        names = {item.name for item in filter_table.FILTERS}
        assert set(found.rejected_by_filter) <= names
        assert sum(found.rejected_by_filter.values()) == store["filtered"].sum()


def test_the_report_has_no_statistics_of_an_earlier_version(out: Path) -> None:
    report = json.loads((out / "report.json").read_bytes())
    for source in report["sources"].values():
        del source["statistics"]
    assert all(isinstance(entry, FinishedSource) for entry in decode(json.dumps(report).encode()).sources.values())


@pytest.mark.slow
def test_shards_and_repeated_pairs_change_nothing(tmp_path: Path) -> None:
    lines = [f"问{number % 7}，加我QQ：1234567{number % 3}\t答{number % 5} www.a.example\n" for number in range(200)]
    raw = put(tmp_path / "raw", {"own.tsv": "".join(lines)})
    found = []
    for size in (300, 1_000_000):
        put(tmp_path, {"settings.yaml": f"dedup: {{exact: always}}\nshard_bytes: {size}\n"})
        options = ("--add", f"own={raw / 'own.tsv'}", "--config", tmp_path / "settings.yaml", "-s", "own")
        found.append(_run(raw, tmp_path / f"out{size}", *options)["own"])
    assert found[0] == found[1]
    assert found[0].query_chars.count == len(set(lines)) == 105
    check_lengths(found[0], pairs_of(tmp_path / "out300" / "own.tsv"))
    assert found[0].personal["qq"] == 200  # accepted turns: a repeated pair is dropped, not its turns
    assert found[0].turns_per_dialogue.count == 200


def test_the_full_statistics_are_those_of_the_files(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = full_statistics(out)
    canonical = {}
    for name, source in found.sources.items():
        pairs = pairs_of(out / f"{name}.tsv")
        assert source.pairs == share(len(set(pairs)), len(pairs))
        for number, side in enumerate((source.queries, source.answers)):
            texts = [pair[number] for pair in pairs]
            counts = Counter(texts)
            assert side.texts == share(len(counts), len(texts))
            frequent = [item for item in counts.most_common() if item[1] > 1][:30]
            assert [(item.text, item.count) for item in side.most_frequent] == frequent
            assert side.distinct_1 == share(len(set("".join(texts))), len("".join(texts)))
            pairs_of_characters = [text[at : at + 2] for text in texts for at in range(len(text) - 1)]
            assert side.distinct_2 == share(len(set(pairs_of_characters)), len(pairs_of_characters))
        check_distribution(source.answers_per_query, Counter(query for query, _ in pairs).values())
        columns = [splitting.canonical(pl.Series([pair[at] for pair in pairs], dtype=pl.String)) for at in (0, 1)]
        canonical[name] = (set(columns[0]), set(zip(*columns, strict=True)))
        assert (source.canonical_queries, source.canonical_pairs) == tuple(map(len, canonical[name]))
        han = [character for pair in pairs for character in "".join(pair) if class_of(character) == "han"]
        assert [(item.count, item.text) for item in source.rarest_han] == sorted(
            (count, character) for character, count in Counter(han).items()
        )[:30]  # fmt: skip
    for item in found.overlap:
        (queries, pairs_), (others, other_pairs) = canonical[item.first], canonical[item.second]
        assert (item.queries, item.pairs) == (len(queries & others), len(pairs_ & other_pairs))
    assert len(found.overlap) == len(found.sources) * (len(found.sources) - 1) // 2
    monkeypatch.setattr(pair_keys, "_KEYS_PER_BUCKET", 20)
    monkeypatch.setattr(character_pairs, "_PAIRS_PER_PASS", 20_000)
    assert full_statistics(out) == found
    assert not list(out.glob(".statistics-*"))


@pytest.mark.slow
def test_very_frequent_texts_are_counted_apart(tmp_path: Path) -> None:
    lines = [f"问{number}\t好\n" for number in range(1001)] + [f"问{number}\t不\n" for number in range(1000)]
    raw = put(tmp_path / "raw", {"own.tsv": "".join(lines)})
    _run(raw, tmp_path / "out", "--add", f"own={raw / 'own.tsv'}", "-s", "own")
    answers = full_statistics(tmp_path / "out").sources["own"].answers
    assert (answers.over_1000, answers.over_1000_pairs, answers.over_1000_share) == (1, 1001, round(1001 / 2001, 6))
    assert [(item.text, item.count) for item in answers.most_frequent] == [("好", 1001), ("不", 1000)]


def test_full_statistics_need_the_output_of_the_report(tmp_path: Path) -> None:
    with pytest.raises(IncompleteError, match="no output"):
        full_statistics(tmp_path)
    raw = put(tmp_path / "raw", {"own.tsv": "问\t答\n再问\t再答\n"})
    _run(raw, tmp_path / "out", "--add", f"own={raw / 'own.tsv'}", "-s", "own")
    put(tmp_path / "out", {"own.tsv": "改\t过\n"})
    with pytest.raises(ChatCorpusError, match=r"own\.tsv: missing, or changed"):
        full_statistics(tmp_path / "out")


def share(distinct: int, total: int) -> DistinctShare:
    """So many distinct things among all."""
    return DistinctShare(distinct=distinct, total=total, share=round(distinct / total, 6) if total else None)


def test_a_changed_tally_fails_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave = parts.Part.leave

    def leave_and_change(part: parts.Part, contents: Mapping[Path, bytes], counts: Counts) -> None:
        leave(part, contents, counts)
        part.tally.write_bytes(part.tally.read_bytes() + b"\0")

    monkeypatch.setattr(parts.Part, "leave", leave_and_change)
    raw = put(tmp_path / "raw", {"own.tsv": "问\t答\n再问\t再答\n"})
    options = ("--raw", raw, "--out", tmp_path / "out", "--workers", 1, "--add", f"own={raw / 'own.tsv'}", "-s", "own")
    result = invoke(*options)
    assert result.exit_code == 1
    assert "found changed statistics" in result.output
    assert not (tmp_path / "out" / "own.tsv").exists()
