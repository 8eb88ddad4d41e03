"""report.json has one shape: what is written is what is read, and what is read can be trusted to have it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chat_corpus.outputs.report import FailedSource, FinishedSource, decode, encode
from chat_corpus.pipeline.filters.personal import Personal
from chat_corpus.statistics.characters import CharacterClass
from tests.helpers import invoke, put


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A report of a source that is done, of one that failed, and of one that failed after it was done."""
    folder = tmp_path_factory.mktemp("report")
    raw, out = folder / "raw", folder / "out"
    rows = "在嗎\t在在在在在在在\n一栏\n你\t\n" + "问\t答\n" * 9
    put(raw, {"tieba.dialogues": rows, "lost.conv": "E\nM 一\nM 二\n"})
    assert invoke("-q", "--raw", raw, "--out", out).exit_code == 0
    put(raw, {"lost.conv": "E\nE\n", "Gossiping-QA-Dataset.txt": "一栏\n"})
    assert invoke("-q", "--raw", raw, "--out", out, "--force").exit_code == 3
    return (out / "report.json").read_bytes()


def test_what_is_read_is_written_byte_for_byte(written: bytes) -> None:
    report = decode(written)
    kinds = {name: (type(one), one.state) for name, one in report.sources.items()}
    assert kinds == {
        "ptt": (FailedSource, "failed"),
        "subtitle": (FinishedSource, "failed"),
        "tieba": (FinishedSource, "found"),
    }
    assert encode(report) == written


def test_accounts_of_a_report_balance(written: bytes) -> None:
    tieba = decode(written).sources["tieba"]
    assert isinstance(tieba, FinishedSource)
    tieba.counts.check("tieba")
    assert (tieba.turns.rejected["empty"], tieba.records_by_file["tieba.dialogues"].unreadable.total()) == (1, 1)


def test_names_of_a_tally_stand_in_order(written: bytes) -> None:
    turns = json.loads(written)["sources"]["tieba"]["turns"]
    assert [list(entry) for entry in turns.values() if isinstance(entry, dict)] == [
        sorted(entry) for entry in turns.values() if isinstance(entry, dict)
    ]


#: Objects with names of things as keys, not those of the schema.
_OPEN = {"settings", "packages", "script_conversion", "sources", "records_by_file", "outputs", "unreadable"}
_OPEN |= {"unread_fields", "scripts", "changed_by_step", "rejected"}


def ways(entry: object, *at: str) -> Iterator[tuple[str, ...]]:
    """The way to each key of the schema in a report, through all sources and files."""
    if isinstance(entry, dict):
        for key, value in entry.items():
            if not (at and at[-1] in _OPEN):
                yield *at, key
            if key not in ("settings", "packages", "script_conversion"):
                yield from ways(value, *at, key)
    if isinstance(entry, list):
        for number, value in enumerate(entry):
            yield from ways(value, *at, str(number))


def holder(report: Any, way: tuple[str, ...]) -> Any:
    for key in way[:-1]:
        report = report[int(key) if isinstance(report, list) else key]
    return report


def test_a_report_that_lacks_a_key_is_none(written: bytes) -> None:
    """But for those that only some sources have, those of earlier versions, and names of counters."""
    may_lack = {"error", "last_failure", "changed_by_step", "statistics", *CharacterClass, *Personal}
    missed = []
    for way in ways(json.loads(written)):
        report = json.loads(written)
        del holder(report, way)[way[-1]]
        try:
            decode(json.dumps(report).encode())
        except ValueError:
            continue
        missed.append(way[-1])
    assert set(missed) <= may_lack


def test_a_report_with_a_value_of_another_kind_is_none(written: bytes) -> None:
    known = list(ways(json.loads(written)))
    assert len(known) > 100
    for way in known:
        report = json.loads(written)
        holder(report, way)[way[-1]] = [None]
        with pytest.raises(ValueError, match=r"Expected .* - at `|no index|cannot be"):
            decode(json.dumps(report).encode())


#: Changes of the entry of a source, and the message about each.
HOSTILE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a count below 0": (lambda entry: entry["records"].update(read=-1), r"Expected `int` >= 0 - at `\$.records.read"),
    "a tally below 0": (lambda entry: entry["turns"]["rejected"].update(a=-1), r">= 0.* at `\$.turns.rejected"),
    "a flag": (lambda entry: entry["turns"]["rejected"].update(a=True), r"`int`.* at `\$.turns.rejected"),
    "a tally of text": (lambda entry: entry["turns"].update(scripts={"a": "1"}), r"at `\$.turns.scripts"),
    "no tally": (lambda entry: entry["pairs"].update(rejected=[]), r"Expected `object`.* at `\$.pairs.rejected"),
    "a state of its own": (lambda entry: entry.update(state="fine"), r"Invalid enum value 'fine' - at `\$.state"),
    "other outputs": (lambda entry: entry["outputs"].update({"../a": [1, 1]}), r"outputs: has files other than"),
    "no pairs": (lambda entry: entry["outputs"].pop("tieba.tsv"), r"outputs: tieba.tsv is missing"),
    "plugins unknown": (lambda entry: entry.update(plugins=["a.py"]), r"plugins: their number differs"),
    "a size of text": (lambda entry: entry["outputs"].update({"tieba.tsv": ["1", 1]}), r"at `\$.outputs"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_no_run_writes_is_reported_with_its_place(kind: str, written: bytes) -> None:
    change, message = HOSTILE[kind]
    report = json.loads(written)
    change(report["sources"]["tieba"])
    with pytest.raises(ValueError, match=rf"^sources\.tieba[.:] ?.*{message}"):
        decode(json.dumps(report).encode())


@pytest.mark.parametrize("name", ["../victim", "", "Tieba", "con", "a/b"])
def test_a_source_has_a_name_that_can_be_that_of_a_file(name: str, written: bytes) -> None:
    report = json.loads(written)
    report["sources"][name] = report["sources"]["ptt"]
    with pytest.raises(ValueError, match="cannot be the name of a source"):
        decode(json.dumps(report).encode())


def test_settings_of_another_version_can_be_read(written: bytes) -> None:
    """The comparison with the present settings names them."""
    report = json.loads(written)
    report["sources"]["tieba"]["settings"] = {"text": 3, "filters": {"new": {"deep": [1]}}}
    assert decode(json.dumps(report).encode()).sources["tieba"].settings["text"] == 3
