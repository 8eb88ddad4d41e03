"""`sample` as typed: rows with their texts before and after, rejects, exports; safe on a terminal."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SAMPLES
from tests.helpers import invoke, put


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a run over two of the bundled corpora."""
    folder = tmp_path_factory.mktemp("sampled")
    assert invoke("-q", "--raw", SAMPLES, "--out", folder / "out", "-s", "ptt,tieba").exit_code == 0
    return folder / "out"


def rows(*args: object) -> list[dict[str, Any]]:
    result = invoke("sample", *args, "--json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_rows_are_those_of_the_tsv_with_the_texts_that_they_came_from(out: Path) -> None:
    sampled = rows(out, "-n", "20")
    assert [row["source"] for row in sampled] == ["ptt"] * 10 + ["tieba"] * 10
    for row in sampled:
        path, _, number = row["address"].rpartition(":")
        line = Path(path).read_text("utf-8").split("\n")[int(number) - 1]
        assert line == "\t".join(text["after"] for text in row["texts"])
        for text in row["texts"]:
            file, _, record = text["address"].rpartition(":")
            raw = (SAMPLES / file).read_bytes().decode("utf-8-sig").splitlines()[int(record) - 1]
            assert text["before"] in raw.replace('""', '"')
    assert sampled == rows(out, "-n", "20") != rows(out, "-n", "20", "--seed", "1")


def test_changed_rows_are_changed_and_each_is_shown_once(out: Path) -> None:
    sampled = rows(out, "-s", "ptt", "--changed", "-n", "30")
    assert len({row["address"] for row in sampled}) == len(sampled) > 20
    assert all(any(text["before"] != text["after"] for text in row["texts"]) for row in sampled)


def test_rejects_are_drawn_by_reason(out: Path) -> None:
    lines = [json.loads(line) for line in (out / "rejects" / "ptt.jsonl").read_bytes().splitlines()]
    sampled = rows(out, "-s", "ptt", "--rejected")
    assert {row["address"] for row in sampled} == {f"{line['file']}:{line['record']}" for line in lines}
    one = rows(out, "--reason", "no_answer", "-n", "1")
    assert [row["reason"] for row in one] == ["no_answer"]
    assert one[0]["texts"][0]["before"]


def test_where_nothing_is_drawn_the_exit_code_says_so(tmp_path: Path) -> None:
    sms = "<smsCorpus><message id='1'><text>你好</text></message></smsCorpus>"
    raw = put(tmp_path / "raw", {"smsCorpus_zh_xml_2015.03.09.xml": sms, "tieba.dialogues": "在吗\t在\n"})
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 0
    for flags, nothing in (
        (("-s", "sms"), "these sources have no rows"),
        (("--rejected",), "these sources have no such rejects"),
        (("--changed",), "no row was found that cleaning changed"),
    ):
        done = invoke("sample", tmp_path / "out", *flags)
        assert (done.exit_code, done.stdout, nothing in done.stderr) == (3, "", True), flags
    done = invoke("sample", tmp_path / "out", "-s", "sms", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (3, [])
    done = invoke("sample", tmp_path / "out", "-s", "sms,tieba", "--json")
    assert (done.exit_code, len(json.loads(done.stdout))) == (0, 1)
    assert done.stderr == "warning: sms: nothing to draw from\n"


@pytest.mark.slow
def test_a_large_output_gives_the_same_sample_for_any_size_of_shards(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "".join(f"在嗎{n}\t在的{n}\n" for n in range(300))})
    samples = []
    for size in (1000, 100_000):
        config = put(tmp_path, {f"{size}.yaml": f"shard_bytes: {size}\n"}) / f"{size}.yaml"
        assert invoke("-q", "--raw", raw, "--out", tmp_path / "out", "--config", config, "--force").exit_code == 0
        samples.append((rows(tmp_path / "out", "-n", "7"), rows(tmp_path / "out", "-n", "7", "--changed")))
    assert samples[0] == samples[1]


def test_without_the_raw_files_rows_are_shown_as_written_with_a_warning(out: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(out, tmp_path / "out"))
    sampled = invoke("sample", moved, "-n", "1", "--raw", tmp_path / "none", "--json")
    assert sampled.exit_code == 0
    assert "no texts before cleaning" in sampled.stderr
    assert [text["before"] for text in json.loads(sampled.stdout)[0]["texts"]] == [None, None]
    assert invoke("sample", moved, "--changed", "--raw", tmp_path / "none").exit_code != 0


@pytest.mark.slow
def test_records_of_an_export_are_shown_with_what_was_read(tmp_path: Path) -> None:
    assert invoke("export", tmp_path / "ex", "-q", "--raw", SAMPLES, "-s", "ptt,tieba").exit_code == 0
    sampled = rows(tmp_path / "ex", "-n", "4")
    assert [row["address"].partition("-")[0] for row in sampled] == ["ptt", "ptt", "tieba", "tieba"]
    assert all(text["before"] and text["after"] for row in sampled for text in row["texts"])
    (record,) = (invoke("trace", "--id", sampled[0]["address"], tmp_path / "ex", "--json").stdout,)
    assert sampled[0]["texts"][0]["after"] in record
    held = rows(tmp_path / "ex", "--rejected", "-n", "3")
    assert {row["reason"] for row in held} == {"duplicate"}
    assert all(row["message"].startswith(row["source"]) for row in held)
    written = invoke("sample", tmp_path / "ex", "-n", "4", "--raw", tmp_path / "none", "--json")
    assert [row["address"] for row in json.loads(written.stdout)] == [row["address"] for row in sampled]
    assert all(text["after"] for row in json.loads(written.stdout) for text in row["texts"])


def test_nothing_on_the_terminal_is_steered_by_a_text(tmp_path: Path) -> None:
    text = "a\x1b[31m\u202eb\u3164\u05d0\u200b"
    raw = put(tmp_path / "raw", {"tieba.dialogues": f"{text}好\t好\n"})
    config = put(tmp_path, {"c.yaml": "text: {invisible: false}\n"}) / "c.yaml"
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out", "--config", config).exit_code == 0
    shown = invoke("sample", tmp_path / "out").stdout
    assert not set(text) - set("ab[31m") & set(shown)
    assert "\\u202eb\\u3164\\u05d0" in shown


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("-s", "ptx"), 2, "no source 'ptx'; available: ptt, tieba"),
        (("--reason", "nope"), 2, "no reject has the reason 'nope'; reasons here: duplicate"),
        (("--reason", "damaged"), 3, "these sources have no such rejects"),
        (("--rejected", "--changed"), 2, "omit --changed or --rejected"),
        (("-n", "0"), 2, "from 1 to 10,000 expected"),
    ],
)
def test_what_cannot_be_drawn_is_refused(args: tuple[str, ...], code: int, words: str, out: Path) -> None:
    result = invoke("sample", out, *args)
    assert (result.exit_code, words in result.stderr) == (code, True), result.stderr


def test_a_folder_that_no_run_wrote_is_refused(tmp_path: Path) -> None:
    result = invoke("sample", tmp_path)
    assert result.exit_code == 2
    assert "neither the output of a run nor an export" in result.stderr


def test_changed_rows_come_from_other_sources_where_one_has_none(tmp_path: Path) -> None:
    changed = "".join(f"這裡{number}\t嗎\n" for number in range(9))
    raw = put(tmp_path / "raw", {"tieba.dialogues": "好\t好\n" * 9, "a/Gossiping-QA-Dataset.txt": changed})
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 0
    sampled = rows(tmp_path / "out", "--changed", "-n", "6")
    assert {row["source"] for row in sampled} == {"ptt"}
    assert len({row["address"] for row in sampled}) == 6


def test_a_line_that_no_run_wrote_is_reported(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "问\t答\n" * 3})
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 0
    (tmp_path / "out/tieba.tsv").write_text("问\t答\n问答答\n问\t答\n", "utf-8")
    done = invoke("sample", tmp_path / "out")
    assert done.exit_code == 1
    assert f"{tmp_path / 'out/tieba.tsv'}:2: edited after the run: 1 field found, 2 expected" in done.stderr


def test_the_roles_of_the_texts_are_translated(out: Path) -> None:
    shown = invoke("sample", out, "--lang", "zh").stdout
    assert "  问 " in shown
    assert "query" not in shown


def test_a_line_break_that_a_file_has_as_two_characters_is_no_change(tmp_path: Path) -> None:
    turns = [{"query": "第一行\n第二行", "response": r"写作 \n 也行"}, {"query": "颱風假還要上課嗎", "response": "嗯"}]
    raw = put(tmp_path, {"own.jsonl": "".join(json.dumps(turn) + "\n" for turn in turns)}) / "own.jsonl"
    assert invoke("-q", "--add", f"own={raw}", "--out", tmp_path / "out", "-s", "own").exit_code == 0
    sampled = {row["address"].rpartition(":")[2]: row["texts"] for row in rows(tmp_path / "out")}
    assert [(text["before"], text["after"]) for text in sampled["1"]] == [
        ("第一行\n第二行", "第一行\n第二行"),
        (r"写作 \n 也行", r"写作 \n 也行"),
    ]
    assert [row["address"].rpartition(":")[2] for row in rows(tmp_path / "out", "--changed")] == ["2"]
