"""Profiles: found by name or path, described in one line, and valid settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat_corpus.cli.list_output import _PURPOSES
from chat_corpus.errors import UsageError
from chat_corpus.settings import loading, profiles
from chat_corpus.settings.model import Settings


def test_every_profile_is_valid_changes_something_and_is_described() -> None:
    names = profiles.names()
    assert names == sorted(names)
    assert {"lccc", "retrieval", "strict"} <= set(names)
    assert set(_PURPOSES) == set(names)
    for name in names:
        path = profiles.find(name)
        assert loading.load([path]) != Settings()
        described = profiles.description(path)
        assert described[0].isupper()
        assert "\n" not in described
        assert "#" not in described


def test_a_name_wins_over_a_file_of_that_name_and_a_path_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("strict", "mine", "mine.yaml"):
        Path(name).write_text("filters: {min_chars: 3}\n", "utf-8")
    assert profiles.find("strict").parent == profiles.folder()
    assert profiles.find("./strict") == Path("strict")
    assert profiles.find("mine") == Path("mine")
    assert profiles.find(str(tmp_path / "mine.yaml")) == tmp_path / "mine.yaml"


@pytest.mark.parametrize(("value", "words"), [
    ("stric", "no such profile; did you mean 'strict'?"),
    ("LCCC.yaml", "--profile LCCC.yaml: no such file"),
    ("my/strict", "--profile my/strict: no such file"),
    ("zzz", "no such profile; profiles: lccc, retrieval, strict, or a file of settings"),
    (".", "--profile .: no such file"),
    ("..", "no such profile"),
    ("", "no such profile"),
])  # fmt: skip
def test_a_profile_that_is_none_is_refused_with_what_there_is(
    value: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as error:
        profiles.find(value)
    assert words in str(error.value)


@pytest.mark.parametrize(("text", "expected"), [
    ("# Fewer rows,\n# but good ones.\n#\n# Why: …\nfilters: {}\n", "Fewer rows, but good ones."),
    ("# One line.\nfilters: {}\n", "One line."),
    ("filters: {}\n# later\n", ""),
    ("", ""),
    ("#\n# second\n", ""),
])  # fmt: skip
def test_the_description_is_the_first_paragraph_of_the_comment(text: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    assert profiles.description(path) == expected
