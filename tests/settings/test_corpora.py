"""Corpora of the user, from flags and from files: what is set, and the message where it cannot be."""

from __future__ import annotations

import glob
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.errors import UsageError
from chat_corpus.formats.layouts import LAYOUTS, by_name
from chat_corpus.settings import corpora
from chat_corpus.settings.yaml_lines import Locations
from chat_corpus.sources.definitions import Definition
from tests.conftest import examples
from tests.helpers import put

NAMES = st.text("abz09-_", min_size=1, max_size=5)
PATHS = st.text("ab=[]*?/\\ 好.", min_size=1, max_size=10)


@settings(max_examples=examples(30))
@given(st.lists(st.tuples(NAMES, PATHS), max_size=4))
def test_everything_behind_the_first_sign_is_the_path_and_no_pattern(added: list[tuple[str, str]]) -> None:
    found = corpora.from_flags([f"{name}={path}" for name, path in added], [])
    assert list(found) == list(dict.fromkeys(name for name, _ in added))
    for name, definition in found.items():
        paths = [path for other, path in added if other == name]
        assert definition == {"path": list(map(glob.escape, paths))}
        assert list(map(corpora.plain, definition["path"])) == paths


def test_a_path_with_marks_of_patterns_is_that_file_alone(tmp_path: Path) -> None:
    put(tmp_path, {"a[1].txt": "x", "a1.txt": "y"})
    (path,) = corpora.from_flags([f"mine={tmp_path}/a[1].txt"], [])["mine"]["path"]
    assert glob.glob(path) == [f"{tmp_path}/a[1].txt"]  # noqa: PTH207 as discovery expands it


@pytest.mark.parametrize("given_", ["mine", "=a.txt", "mine=", "=", ""])
def test_a_flag_without_name_or_value_is_refused(given_: str) -> None:
    with pytest.raises(UsageError, match="NAME=PATH expected"):
        corpora.from_flags([given_], [])
    with pytest.raises(UsageError, match="NAME=LAYOUT expected"):
        corpora.from_flags([], [given_])


def test_a_layout_goes_to_the_corpus_of_its_name_whether_it_has_a_path_or_not() -> None:
    assert corpora.from_flags(["a=x"], ["a=json", "b=table"]) == {
        "a": {"path": ["x"], "layout": "json"},
        "b": {"layout": "table"},
    }


def test_a_path_alone_is_a_definition_and_the_home_folder_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("USERPROFILE", "/home/me")
    home = str(Path("/home/me"))
    found = corpora.expanded({"a": "~/x", "b": ["~/y", "z"], "c": {"path": "~", "gap": 3}, "d": 5, "e": {"gap": 1}})
    assert found == {
        "a": {"path": str(Path(home, "x"))},
        "b": {"path": [str(Path(home, "y")), "z"]},
        "c": {"path": home, "gap": 3},
        "d": 5,
        "e": {"gap": 1},
    }
    assert corpora.expanded("~") == "~"
    assert corpora.expanded({"a": "~nobody-has-this-name/x"}) == {"a": {"path": "~nobody-has-this-name/x"}}


# id, name, definition, words of the message
REFUSED: list[tuple[str, object, dict[str, object], str]] = [
    ("capital letter", "Mine", {"path": "x"}, "'Mine' cannot be the name of a corpus"),
    ("path as name", "../mine", {"path": "x"}, "cannot be the name of a corpus"),
    ("device of Windows", "con", {"path": "x"}, "cannot be the name of a corpus"),
    ("number as name", 3, {"path": "x"}, "cannot be the name of a corpus"),
    ("no path", "mine", {"layout": "json"}, "mine: no path; name its file or folder, as in --add mine=PATH"),
    ("empty list of paths", "mine", {"path": []}, "mine: no path"),
    ("layout, near", "mine", {"path": "x", "layout": "jsn"}, "no layout 'jsn'; did you mean 'json'?"),
    ("layout in capitals", "mine", {"path": "x", "layout": "CSV"}, "did you mean 'csv'?"),
    ("layout, near nothing", "mine", {"path": "x", "layout": "zzzz"}, "no layout 'zzzz'; layouts: json, "),
]


@pytest.mark.parametrize(("name", "definition", "words"), [pytest.param(*case[1:], id=case[0]) for case in REFUSED])
def test_a_definition_that_cannot_be_is_refused_with_its_line(
    name: object, definition: dict[str, object], words: str
) -> None:
    locations: Locations = {("corpora", str(name)): "my.yaml:7"}
    with pytest.raises(UsageError) as error:
        corpora.check(name, definition, locations)
    assert str(error.value).startswith("my.yaml:7: ")
    assert words in str(error.value)


def test_a_definition_from_a_flag_has_no_line() -> None:
    with pytest.raises(UsageError) as error:
        corpora.check("mine", {"layout": "json"}, {("corpora",): "default.yaml:26"})
    assert str(error.value).startswith("mine: no path")


@pytest.mark.parametrize("layout", ["auto", *by_name()])
def test_every_layout_and_every_other_name_of_one_is_accepted(layout: str) -> None:
    corpora.check("mine", {"path": "x", "layout": layout}, {})


def test_the_layouts_in_the_message_are_all() -> None:
    assert str(corpora.names_of_layouts()).split(", ") == [layout.name for layout in LAYOUTS]


@pytest.mark.parametrize(("out", "refused"), [
    ("chats/out", True), ("chats/a/b/out", True), ("chats", True), ("out", False), ("chats2/out", False),
])  # fmt: skip
def test_output_in_a_folder_that_is_added_is_refused(out: str, refused: bool, tmp_path: Path) -> None:
    """The next run would read it as raw data."""
    folder = put(tmp_path / "chats", {"a.txt": "x"})
    added = {"mine": Definition(path=str(folder)), "file": Definition(path=str(folder / "a.txt"))}
    if not refused:
        corpora.check_apart(added, tmp_path.resolve() / out)
        return
    with pytest.raises(UsageError, match=r"--out .*: inside .*chats, which is added as mine; use another --out"):
        corpora.check_apart(added, tmp_path.resolve() / out)


def test_output_beside_a_file_that_is_added_is_allowed(tmp_path: Path) -> None:
    folder = put(tmp_path / "chats", {"a.txt": "x"})
    corpora.check_apart({"mine": Definition(path=str(folder / "a.txt"))}, folder.resolve() / "out")
