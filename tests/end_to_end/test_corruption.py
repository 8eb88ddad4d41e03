"""Each stage, corrupted on purpose: the run fails, names source and stage, and the earlier output stays as it was."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chat_corpus import sources
from chat_corpus.exports import tsv
from chat_corpus.formats.base import Reading, Records
from chat_corpus.pipeline import process
from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.pipeline.process import Context, Stage
from chat_corpus.pipeline.script.converter import Converter
from chat_corpus.pipeline.text import normalizer
from chat_corpus.runs import merge
from tests.helpers import invoke, put, visible

ROWS = "".join(f"问{n}\t答{n}\n" for n in range(9)) + "只有一栏\n问\t \n"
NAMES = {"tieba": "tieba.dialogues", "ptt": "Gossiping-QA-Dataset.txt"}

Frame = Callable[[pl.DataFrame], pl.DataFrame]
FAULTS: dict[str, Frame] = {
    "drops a row": lambda rows: rows.head(-1),
    "drops the first": lambda rows: rows.tail(-1),
    "repeats a row": lambda rows: pl.concat([rows, rows.tail(1)]),
    "swaps two": lambda rows: pl.concat([rows.slice(1, 1), rows.head(1), rows.slice(2)]),
    "reverses all": lambda rows: rows.reverse(),
}
MOVES: dict[str, Frame] = {
    "moves a line": lambda rows: rows.with_columns(record=pl.col("record").replace(3, 4)),
    "moves all lines": lambda rows: rows.with_columns(record=pl.col("record") + 1),
    "moves a turn": lambda rows: rows.with_columns(turn_index=pl.lit(0, dtype=pl.UInt32)),
    "moves a dialogue": lambda rows: rows.with_columns(dialogue_id=pl.col("dialogue_id") // 2),
    "moves a part": lambda rows: rows.with_columns(file_index=pl.lit(1, dtype=pl.UInt8)),
}
REASONS: dict[str, Frame] = {
    "invents a reason": lambda rows: rows.with_columns(reason=pl.lit("empty")),
    "drops a reason": lambda rows: rows.with_columns(reason=pl.lit(None, dtype=pl.String)),
    "changes a reason": lambda rows: rows.with_columns(reason=pl.col("reason").replace("fields", "layout")),
}
PAIRS: dict[str, Frame] = {
    "moves a line": lambda rows: rows.with_columns(query_record=pl.col("query_record").replace(3, 4)),
    "takes another answer": lambda rows: rows.with_columns(answer=pl.col("answer").reverse()),
    "invents a reason": lambda rows: rows.with_columns(reason=pl.lit("empty")),
    "drops a reason": lambda rows: rows.with_columns(reason=pl.lit(None, dtype=pl.String)),
}


def _after(module: Any, name: str, fault: Callable[[Any], Any], patched: pytest.MonkeyPatch) -> None:
    """Have a function of a module return something faulty."""
    sound = getattr(module, name)
    patched.setattr(module, name, lambda *args, **options: fault(sound(*args, **options)))


def _read(fault: Frame, patched: pytest.MonkeyPatch) -> None:
    source, origin = sources.declared().sources["tieba"]
    first, *others = source.inputs

    def faulty(parts: Sequence[Records]) -> Reading:
        reading = first.format.read(parts)
        return replace(reading, rows=fault(reading.rows))

    faulty_source = replace(
        source, inputs=(replace(first, format=replace(first.format, read=faulty, in_dialect=None)), *others)
    )
    patched.setattr(sources, "declaring", lambda *_: {"tieba": (faulty_source, origin)})


def _rows(stage: str) -> Callable[[Frame, pytest.MonkeyPatch], None]:
    """Corrupt the frame that a stage is about to hand on."""

    def patch(fault: Frame, patched: pytest.MonkeyPatch) -> None:
        stages = {"CLEANING": process.CLEANING, "FILTERING": process.FILTERING}

        def faulty(sound: Stage) -> Stage:
            def apply(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
                return fault(rows.with_columns(sound.apply(rows, context)))

            return replace(sound, apply=apply)

        for name, listed in stages.items():
            patched.setattr(process, name, tuple(faulty(one) if one.name == stage else one for one in listed))

    return patch


def _pair(fault: Frame, patched: pytest.MonkeyPatch) -> None:
    _after(process, "pair", fault, patched)


def _write(fault: Frame, patched: pytest.MonkeyPatch) -> None:
    joined = tsv.joined
    patched.setattr(tsv, "joined", lambda columns: joined(fault(columns)))


def _merge(fault: Frame, patched: pytest.MonkeyPatch) -> None:
    append = merge.JoinedLines.append

    def faulty(self: merge.JoinedLines, blocks: Iterable[bytes], number: int | None = None) -> int:
        lines = pl.DataFrame({"line": b"".join(blocks).splitlines(keepends=True)}, schema={"line": pl.Binary})
        return append(self, fault(lines)["line"] if len(lines) > 1 else lines["line"], number)

    patched.setattr(merge.JoinedLines, "append", faulty)


def _message(fault: Frame, patched: pytest.MonkeyPatch) -> None:
    _after(process, "with_raw", fault, patched)


def _texts(fault: Frame, patched: pytest.MonkeyPatch) -> None:
    _after(normalizer, "normalize_and_flag", fault, patched)


def _conversion(fault: Frame, patched: pytest.MonkeyPatch) -> None:
    _after(Converter, "convert", fault, patched)


def _check(fault: Frame, patched: pytest.MonkeyPatch) -> None:
    _after(filter_table, "apply_filters", fault, patched)


def _begins(fault: Frame, patched: pytest.MonkeyPatch) -> None:
    _after(tsv, "byte_offsets", fault, patched)


BEGINS: dict[str, Any] = {
    "moves all on": lambda begins: begins + 1,
    "moves all back": lambda begins: (begins - 2).clip(0),
    "moves all a row back": lambda begins: begins.shift(1, fill_value=0),
}
LENGTH = {name: FAULTS[name] for name in ("drops a row", "drops the first", "repeats a row")}
NO_LENGTH = {name: fault for name, fault in (FAULTS | MOVES | REASONS).items() if name not in LENGTH}
# A reader's own word cannot be held against it: which reason a record has, and that a dialogue begins with an answer.
OWN_WORD = {"changes a reason", "drops the first"}
READ = {name: fault for name, fault in (FAULTS | MOVES | REASONS).items() if name not in OWN_WORD}
CHECK = {name: fault for name, fault in (FAULTS | MOVES | REASONS).items() if name != "invents a reason"}
STAGES: tuple[tuple[str, Callable[[Frame, pytest.MonkeyPatch], None], dict[str, Frame], str], ...] = (
    ("tieba", _read, READ, "the reader returned|stage 'read'"),
    ("tieba", _texts, LENGTH, "stage 'normalize'"),
    ("tieba", _rows("normalize"), NO_LENGTH, "stage 'normalize'"),
    ("tieba", _conversion, LENGTH, "stage 'convert'"),
    ("tieba", _rows("convert"), NO_LENGTH, "stage 'convert'"),
    ("tieba", _check, CHECK, "stage 'filter'"),
    ("tieba", _pair, FAULTS | PAIRS, "stage 'pair'"),
    ("tieba", _write, FAULTS, "stage 'write'"),
    ("tieba", _merge, FAULTS, "stage 'merge'"),
    ("ptt", _merge, FAULTS, "stage 'merge'"),
    ("tieba", _message, LENGTH, "stage 'reject'"),
    ("ptt", _message, LENGTH, "stage 'reject'"),
    ("ptt", _begins, BEGINS, "stage 'merge'"),
)
CASES = [
    pytest.param(source, corrupt, faults[name], message, id=f"{source} {message} {name}")
    for source, corrupt, faults, message in STAGES
    for name in faults
]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For each source, a folder with `raw` and `out` of a sound run over it."""
    folders = {source: tmp_path_factory.mktemp(source) for source in NAMES}
    for source, folder in folders.items():
        raw = put(folder / "raw", {NAMES[source]: ROWS + "问0\t答0\n"})
        assert invoke("--raw", raw, "--out", folder / "out").exit_code == 0
    return folders


@pytest.mark.parametrize(("source", "corrupt", "fault", "message"), CASES)
def test_a_corrupted_stage_fails_the_run_by_name_and_leaves_the_earlier_output(
    source: str,
    corrupt: Callable[[Frame, pytest.MonkeyPatch], None],
    fault: Frame,
    message: str,
    written: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw, out = (Path(shutil.copytree(written[source] / name, tmp_path / name)) for name in ("raw", "out"))
    before = visible(out)
    put(raw, {NAMES[source]: ROWS.replace("问0\t答0\n", "") + "问1\t答1\n"})
    corrupt(fault, monkeypatch)
    done = invoke("--raw", raw, "--out", out)
    assert done.exit_code == 1
    assert re.search(rf"error: {source}\b.*({message})", done.stderr)
    after = visible(out)
    assert json.loads(after.pop("report.json"))["sources"][source]["state"] == "failed"
    assert after == {name: content for name, content in before.items() if name != "report.json"}
