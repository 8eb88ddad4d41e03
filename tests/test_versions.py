"""The digest of the code that a result depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat_corpus import versions
from tests.helpers import put


def test_the_samples_of_an_installed_copy_are_not_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = versions.code_digest.__wrapped__
    files = {"versions.py": "", "sources/samples/tables.json": "{}"}
    digests: list[str] = []
    for more in ({}, {"samples/belle/a.json": "{}"}, {"text.py": ""}, {"sources/samples/tables.json": "[]"}):
        root = put(tmp_path / str(len(digests)), {**files, **more})
        monkeypatch.setattr(versions, "__file__", str(root / "versions.py"))
        digests.append(digest())
    checkout, installed, *changed = digests
    assert checkout == installed
    assert len({checkout, *changed}) == 3
