"""Whatever is edited in an export, `check-export` exits 1 and names the file.

What no digest covers: hidden files and folders, which no loader reads, empty folders, and times and rights of files.
What a forger can do who writes a whole manifest anew, with digests, is found as far as content shows it: an address in
the index that is that of a different dialogue, and a `rejected` answer, are in no other file.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import polars as pl
import pytest

from chat_corpus.errors import ChatCorpusError
from chat_corpus.exports import manifest_file
from chat_corpus.exports.check import check_export
from chat_corpus.exports.documents import documents
from chat_corpus.exports.manifest import MANIFEST
from chat_corpus.exports.records import FORMATS
from tests.conftest import examples
from tests.helpers import invoke, visible
from tests.runs.export.invented import corpora, export

MIX = ("--mix", "temperature=0.5", "--subset", "20,60,all")


@pytest.fixture(scope="module", params=[(), MIX], ids=["sources", "mix"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export in every format with near twins, duplicates, preferences and masked numbers."""
    folder = tmp_path_factory.mktemp("edits")
    raw = corpora(folder / "raw")
    with (raw / "tieba.dialogues").open("a") as stream:
        stream.writelines(f"我们明天晚上去哪里吃火锅好呢{n}\t还是老地方吧那家店不错{n}\n" for n in range(40))
    split = ("--split", "test=0.1,validation=0.1")
    export(folder / "export", "--raw", raw, *split, *request.param, "--format", ",".join(FORMATS))
    assert list((folder / "export" / "held").iterdir())
    return folder / "export"


def _edits(data: bytes, chance: Random) -> Iterator[bytes]:
    for _ in range(2):
        at = chance.randrange(len(data))
        yield data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
        yield data[:at] + data[at + 1 :]
        yield data[:at] + bytes([chance.randrange(256)]) + data[at:]
    yield data + b"\n"
    yield data[:-1]
    yield b""


@pytest.mark.slow
def test_an_edited_byte_of_any_file_is_found(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "export")
    for name, data in visible(whole).items():
        for edited in _edits(data, Random(name)):
            (folder / name).write_bytes(edited)
            found = _first(folder, name)
            assert found, (name, edited[:80])
        (folder / name).unlink()
        assert _first(folder, name) or name == MANIFEST
        (folder / name).write_bytes(data)
    assert invoke("check-export", folder).exit_code == 0


def _first(folder: Path, name: str) -> bool:
    """Whether an offence of the file is found: for the command, an error about the manifest is one too."""
    try:
        return any(one.path == name for one in check_export(folder))
    except ChatCorpusError as error:
        return name == MANIFEST and MANIFEST in str(error)


def _leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of each value, and of each list and object, in a JSON document."""
    if place:
        yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _leaves(item, (*place, key))


def _changed(value: Any) -> Iterator[Any]:
    yield None
    match value:
        case bool():
            yield not value
        case int() | float():
            yield value + 1
        case str():
            yield f"{value}x"
            yield ""
        case list():
            yield value[:-1]
        case dict():
            yield {}


@pytest.mark.slow
def test_an_edited_value_of_the_manifest_is_found(whole: Path, tmp_path: Path) -> None:
    """Written as the manifest is written, so that the layout does not give it away."""
    folder = shutil.copytree(whole, tmp_path / "export")
    data = (whole / MANIFEST).read_bytes()
    leaves = list(_leaves(msgspec.json.decode(data)))
    for place in Random(1).sample(leaves, examples(100)):
        *outer, key = place
        original = msgspec.json.decode(data)
        for step in outer:
            original = original[step]
        for value in _changed(original[key]):
            edited = target = msgspec.json.decode(data)
            for step in outer:
                target = target[step]
            if target[key] == value:
                continue
            target[key] = value
            (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(edited), indent=1) + b"\n")
            try:
                found = next(check_export(folder)).path
            except ChatCorpusError as error:
                found = MANIFEST if MANIFEST in str(error) else ""
            assert found, place


def _relisted(folder: Path, name: str, content: bytes) -> None:
    """Write a file, and have all documents list it as it is then."""
    (folder / name).write_bytes(content)
    summary = manifest_file.decode((folder / MANIFEST).read_bytes())
    digest = hashlib.sha256(content).hexdigest()
    files = tuple(
        msgspec.structs.replace(one, sha256=digest, bytes=len(content)) if one.path == name else one
        for one in summary.files
    )
    for path, data in documents(msgspec.structs.replace(summary, files=files)).items():
        (folder / path).write_bytes(data)


ROWS: dict[str, Callable[[pl.DataFrame], pl.Expr]] = {
    "a record after the last": lambda _: pl.lit(10_000, pl.UInt32).alias("record"),
    "a file of a different source": lambda _: pl.lit("Gossiping-QA-Dataset.txt").alias("file"),
    "a dialogue that is none": lambda _: pl.lit("tieba.dialogues").alias("dialogue_id"),
    "a dialogue before the one above": lambda _: pl.lit("tieba.dialogues:1").alias("dialogue_id"),
    "a reason beside a split": lambda _: pl.lit("held_cap").alias("reason"),
    "an equal record beside a split": lambda frame: pl.lit(frame["id"][0]).alias("same_as"),
    "a twin beside a split": lambda frame: pl.lit(frame["id"][0]).alias("resembles"),
    "a different id": lambda _: pl.lit("tieba-0123456789abcdef").alias("id"),
    "a different split": lambda _: pl.lit("test").alias("split"),
}


@pytest.mark.parametrize("edit", [pytest.param(edit, marks=pytest.mark.slow) for edit in ROWS])
def test_an_edited_row_of_the_index_is_found_by_its_content(edit: str, whole: Path, tmp_path: Path) -> None:
    folder, name = shutil.copytree(whole, tmp_path / "export"), "index/tieba.parquet"
    index = pl.read_parquet(folder / name)
    at = int((index["split"] == "train").arg_max() or 0) + 5
    at = next(row for row in range(at, len(index)) if index["split"][row] == "train")
    is_row = pl.int_range(pl.len()) == at
    change = ROWS[edit](index)
    column = change.meta.output_name()
    path = tmp_path / "index.parquet"
    index.with_columns(pl.when(is_row).then(change).otherwise(pl.col(column)).alias(column)).write_parquet(path)
    _relisted(folder, name, path.read_bytes())
    paths = {one.path for one in check_export(folder)}
    # Of a mix, the ids of all sources are together, so that an id of the index alone is not compared.
    assert name in paths or (edit == "a different id" and (folder / "data" / "mixed").is_dir()), paths
