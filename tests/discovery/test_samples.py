"""The bundled samples: a fresh clone runs on them; a real corpus takes priority over them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.schema import State
from tests.conftest import ROOT, SAMPLES, Golden


def bundled() -> list[Path]:
    return sorted(path for path in SAMPLES.rglob("*") if path.is_file())


def test_the_package_lists_the_digest_of_each_sample(golden: Golden) -> None:
    sizes = {hashlib.sha256(file.read_bytes()).hexdigest(): file.stat().st_size for file in bundled()}
    golden.check(
        ROOT / "chat_corpus" / "discovery" / "samples.json",
        (json.dumps(dict(sorted(sizes.items())), indent=0) + "\n").encode(),
    )


def test_every_source_is_a_sample_or_absent(tmp_path: Path) -> None:
    for file in bundled():
        copy = tmp_path / file.relative_to(SAMPLES)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    states = [source.state for source in discover_sources(tmp_path, sources.load()).values()]
    assert set(states) <= {"sample", "absent"}
    assert states.count(State.SAMPLE) >= 11


def test_one_real_file_excludes_all_samples(tmp_path: Path) -> None:
    for name in ("train.txt", "dev.txt"):
        copy = tmp_path / "douban-multiturn-100w" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((SAMPLES / "douban-multiturn-100w" / name).read_bytes())
    (tmp_path / "tieba.dialogues").write_text("在吗\t在\n", "utf-8")
    found = discover_sources(tmp_path, sources.load())
    assert {name: source.state for name, source in found.items() if source.groups} == {"tieba": "found"}


def test_a_real_file_unpacked_over_a_sample_is_real(tmp_path: Path) -> None:
    folder = tmp_path / "douban-multiturn-100w"
    folder.mkdir()
    (folder / "dev.txt").write_bytes((SAMPLES / "douban-multiturn-100w" / "dev.txt").read_bytes())
    (folder / "train.txt").write_text("1\t在 吗\t在\n", "utf-8")
    douban = discover_sources(tmp_path, sources.load())["douban"]
    assert [Path(file.name).name for file in douban.files] == ["train.txt"]
