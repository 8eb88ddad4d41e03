"""Settings: files override defaults, flags override files; an error names file, line and the expected value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from chat_corpus.cli.main import main
from chat_corpus.errors import UsageError
from chat_corpus.pipeline.text.options import Policy
from chat_corpus.settings.loading import load
from chat_corpus.settings.model import Settings


def written(folder: Path, text: str | bytes, name: str = "my.yaml") -> Path:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


# id, content of the file, wrong line (0: the whole file), texts of the message
FAULTY: list[tuple[str, str | bytes, int, list[str]]] = [
    ("unknown key, near", "filters:\n  min_char: 2\n", 2, ["'filters.min_char'", "did you mean 'filters.min_chars'?"]),
    ("unknown key, near nothing", "\n\nzzz: 1\n", 3, ["'zzz'", "the valid keys are:", "shard_bytes"]),
    ("unknown key of a step", "text:\n  max_repeats:\n    limits: 2\n", 3, ["did you mean 'text.max_repeats.limit'?"]),
    ("unknown key of one source", "sources:\n  weibo:\n    filter: {}\n", 3, ["did you mean 'sources.weibo.filters'?"]),
    ("key of a section", "limit: 5\n", 1, ["unknown key 'limit'; did you mean 'read.limit'?"]),
    ("key of two sections", "max-turns: 5\n", 1, ["did you mean filters.max_turns or export.max_turns?"]),
    ("key of a section of one source", "sources: {ptt: {limit: 5}}\n", 1, ["did you mean 'sources.ptt.read.limit'?"]),
    ("key near one of a section", "format: [alpaca]\n", 1, ["did you mean 'export.formats'?"]),
    ("option without a key", "profile: strict\n", 1, ["--profile is an option of the command line"]),
    ("option with a key of another name", "add: {}\n", 1, ["did you mean 'corpora'?"]),
    ("key of the run for one source", "sources:\n  weibo: {raw: x}\n", 2, ["unknown key 'sources.weibo.raw'"]),
    (
        "wrong type",
        "filters:\n  min_chars: two\n",
        2,
        ['filters.min_chars: found "two", expected a whole number of at least 1'],
    ),
    (
        "truth for a number",
        "read:\n  limit: true\n",
        2,
        ["read.limit: found true, expected a whole number of at least 0"],
    ),
    ("number for a section", "text: 3\n", 1, ["text: found 3, expected a section"]),
    ("text for a list", "plugins: a.py\n", 1, ['plugins: found "a.py", expected a list of text']),
    ("below its range", "read: {limit: -1}\n", 1, ["read.limit: found -1, expected a whole number of at least 0"]),
    (
        "above its range",
        "text:\n  max_repeats: {limit: 101}\n",
        2,
        ["text.max_repeats.limit: found 101, expected a whole number from 1 to 100"],
    ),
    ("not a number", "filters: {max_damaged: .nan}\n", 1, ["filters.max_damaged"]),
    (
        "none of the values",
        "\nread: {unequal_lengths: keep}\n",
        2,
        ['read.unequal_lengths: found "keep", expected one of error, common'],
    ),
    (
        "none of the policies",
        "text:\n  links: drop\n",
        2,
        ['text.links: found "drop", expected one of keep, remove, placeholder'],
    ),
    ("none of the values for one source", "sources:\n  ptt:\n    pairs: {mode: x}\n", 3, ["sources.ptt.pairs.mode"]),
    ("key twice", "filters:\n  min_chars: 2\n\n  min_chars: 3\n", 4, ["the key 'filters.min_chars' is set twice"]),
    ("key twice at the top", "raw: a\nraw: b\n", 2, ["the key 'raw' is set twice"]),
    ("a truth as key", "raw: a\nyes: b\n", 2, ["'yes'"]),
    ("a number as source", "sources:\n  1: {}\n", 2, ["'1'"]),
    ("a list as key", "? [a, b]\n: 1\n", 1, []),
    ("sources as a list", "sources: [weibo]\n", 1, ["sources", "a section"]),
    ("sources as a number", "sources: 3\n", 1, ["sources", "a section"]),
    ("a source without settings", "sources:\n  weibo:\n", 2, ["sources.weibo: found null, expected a section"]),
    ("unclosed quote", 'raw: "x\n', 2, ["invalid YAML"]),
    ("a tab for indentation", "read:\n\tlimit: 1\n", 2, ["invalid YAML"]),
    ("two documents", "raw: a\n---\nraw: b\n", 2, ["invalid YAML"]),
    ("a Python object", "raw: !!python/object/apply:os.getcwd []\n", 1, ["invalid YAML"]),
    ("a list", "- raw\n", 1, ["expected a mapping of settings"]),
    ("a word", "raw\n", 1, ["expected a mapping of settings"]),
    ("itself", "a: &a {b: *a}\n", 0, ["invalid YAML"]),
    ("a NUL", b"raw: a\0b\n", 0, ["invalid YAML"]),
    ("bytes", bytes(range(128, 256)), 0, ["cannot be read as UTF-8 text"]),
    ("UTF-16", "raw: a\n".encode("utf-16"), 0, ["cannot be read as UTF-8 text"]),
]


@pytest.mark.parametrize(("text", "line", "expected"), [pytest.param(*case[1:], id=case[0]) for case in FAULTY])
def test_an_error_names_file_and_line_and_exits_2(
    text: str | bytes, line: int, expected: list[str], tmp_path: Path
) -> None:
    file = written(tmp_path, text)
    result = CliRunner().invoke(main, ["check", "--raw", str(tmp_path), "--config", str(file)])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"error: {file}:{line}: " if line else f"error: {file}: ")
    assert [words for words in expected if words not in result.stderr] == []


def test_an_error_names_the_file_with_the_wrong_value_not_the_last_file(tmp_path: Path) -> None:
    files = [written(tmp_path, "\nfilters: {min_chars: a}\n", "a.yaml"), written(tmp_path, "raw: x\n", "b.yaml")]
    with pytest.raises(UsageError, match=r"a\.yaml:2: filters\.min_chars"):
        load(files)


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "{}\n", "\ufeff"])
def test_an_empty_file_changes_nothing(text: str, tmp_path: Path) -> None:
    assert load([written(tmp_path, text)]) == Settings()


def test_a_missing_file_and_a_folder_exit_2(tmp_path: Path) -> None:
    for path in (tmp_path / "no.yaml", tmp_path):
        result = CliRunner().invoke(main, ["check", "--raw", str(tmp_path), "--config", str(path)])
        assert result.exit_code == 2
        assert str(path) in result.stderr


def test_an_unknown_source_exits_2_with_the_nearest_name(tmp_path: Path) -> None:
    file = written(tmp_path, "sources: {wiebo: {read: {limit: 1}}}\n")
    result = CliRunner().invoke(main, ["check", "--raw", str(tmp_path), "--config", str(file)])
    assert result.exit_code == 2
    assert f"{file}:1: sources.wiebo: no source has this name; did you mean 'weibo'?" in result.stderr


def test_the_last_file_overrides_the_first_key_by_key(tmp_path: Path) -> None:
    first = written(tmp_path, "filters: {min_chars: 2, max_chars: 9}\ntext: {links: remove}\n", "a.yaml")
    second = written(tmp_path, "filters: {min_chars: 3}\n", "b.yaml")
    settings = load([first, second])
    assert (settings.filters.min_chars, settings.filters.max_chars, settings.text.links) == (3, 9, Policy.REMOVE)
    assert load([second, first]).filters.min_chars == 2


def test_reposts_have_no_placeholder(tmp_path: Path) -> None:
    file = written(tmp_path, "text:\n  links: placeholder\n  reposts: placeholder\n")
    with pytest.raises(UsageError, match=r":3: text\.reposts.*keep.*remove"):
        load([file])


def test_loading_does_not_change_the_given_flags(tmp_path: Path) -> None:
    given = {"read": {"limit": 3}, "sources": {"ptt": {"read": {"encoding": "big5"}}}}
    before = json.dumps(given)
    file = written(tmp_path, "sources: {ptt: {read: {limit: 7}, filters: {min_chars: 2}}}\n")
    settings = load([file], given)
    assert (settings.of("ptt").read.limit, settings.of("ptt").read.encoding) == (3, "big5")
    assert json.dumps(given) == before


def test_flags_override_files_and_settings_of_single_sources(tmp_path: Path) -> None:
    file = written(tmp_path, "raw: a\nread: {limit: 5}\nsources: {ptt: {read: {limit: 7, unequal_lengths: common}}}\n")
    settings = load([file], {"raw": "b", "read": {"limit": 9}})
    assert settings.raw == "b"
    assert settings.read.limit == 9
    assert settings.of("ptt").read.limit == 9
    assert settings.of("ptt").read.unequal_lengths == "common"


def test_settings_of_a_source_do_not_apply_to_others(tmp_path: Path) -> None:
    text = "text: {links: remove}\nsources:\n  weibo:\n    text: {link_words: keep, max_repeats: {limit: 2}}\n"
    settings = load([written(tmp_path, text)])
    weibo, other = settings.of("weibo").text, settings.of("ptt").text
    assert (weibo.links, weibo.link_words) == (Policy.REMOVE, Policy.KEEP)
    assert (weibo.max_repeats.limit, weibo.max_repeats.enabled) == (2, True)
    assert (other.links, other.link_words, other.max_repeats.limit) == (Policy.REMOVE, Policy.REMOVE, 5)


def test_settings_of_one_source_in_two_files_are_merged(tmp_path: Path) -> None:
    first = written(tmp_path, "sources: {ptt: {filters: {min_chars: 2}}}\n", "a.yaml")
    second = written(tmp_path, "sources: {ptt: {filters: {max_chars: 9}}, sms: {read: {limit: 1}}}\n", "b.yaml")
    filters = load([first, second]).of("ptt").filters
    assert (filters.min_chars, filters.max_chars) == (2, 9)


def test_keys_of_a_merge_key_can_be_overridden(tmp_path: Path) -> None:
    anchor, other = "{filters: {min_chars: 2}, read: {limit: 4}}", "{<<: *ptt, filters: {min_chars: 3}}"
    text = f"sources:\n  ptt: &ptt {anchor}\n  sms: {other}\n"
    settings = load([written(tmp_path, text)]).of("sms")
    assert (settings.filters.min_chars, settings.read.limit) == (3, 4)


WITH_EFFECT: list[dict[str, Any]] = [
    {"read": {"limit": 3}},
    {"read": {"segmentation": "none"}},
    {"text": {"unicode_nfc": False}},
    {"text": {"max_repeats": {"limit": 4}}},
    {"script": {"mode": "t2s"}},
    {"filters": {"max_chars": 9}},
    {"pairs": {"mode": "first"}},
    {"dedup": {"exact": "always"}},
    {"sources": {"ptt": {"filters": {"min_chars": 2}}}},
]
WITHOUT_EFFECT: list[dict[str, Any]] = [
    {"raw": "x"},
    {"out": "x"},
    {"shard_bytes": 9},
    {"workers": 9},
    {"engine": "dask"},
    {"scheduler": "tcp://10.0.0.1:8786"},
    {"read": {"unequal_lengths": "common"}},  # decides only whether there is an output
    {"sources": {"weibo": {"filters": {"min_chars": 2}}}},
    {"sources": {"ptt": {"filters": {"min_chars": 1}}}},
]


@pytest.mark.parametrize("flags", WITH_EFFECT, ids=str)
def test_settings_that_change_the_output_change_the_digest(flags: dict[str, Any]) -> None:
    assert load([], flags).of("ptt").digest() != Settings().of("ptt").digest()


@pytest.mark.parametrize("flags", WITHOUT_EFFECT, ids=str)
def test_settings_that_do_not_change_the_output_do_not_change_the_digest(flags: dict[str, Any]) -> None:
    assert load([], flags).of("ptt").digest() == Settings().of("ptt").digest()


def test_a_setting_for_all_and_the_same_for_one_source_have_one_digest() -> None:
    change = {"filters": {"min_chars": 2}}
    assert load([], change).of("ptt").digest() == load([], {"sources": {"ptt": change}}).of("ptt").digest()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Settings().raw = "x"  # type: ignore[misc]


def test_the_settings_in_a_report_are_a_config(tmp_path: Path) -> None:
    settings = load([], {"sources": {"ptt": {"filters": {"min_chars": 2}}}, "plugins": ["a.py"]})
    assert load([written(tmp_path, msgspec.json.encode(settings))]) == settings


def test_a_section_with_all_its_keys_commented_out_is_empty(tmp_path: Path) -> None:
    assert load([written(tmp_path, "filters:\n  # min_chars: 2\ntext:\n")]) == Settings()


def test_paths_may_begin_with_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = load([written(tmp_path, "raw: ~/corpora\nplugins: [~/custom.py]\n")], {"out": "~/clean"})
    assert (settings.raw, settings.out) == (f"{tmp_path}/corpora", f"{tmp_path}/clean")
    assert settings.plugins == (f"{tmp_path}/custom.py",)


def test_bounds_that_reject_every_turn_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"filters: max_chars 5 is less than min_chars 9"):
        load([written(tmp_path, "filters: {min_chars: 9, max_chars: 5}\n")])


@pytest.mark.parametrize("section", ["ellipses", "dashes", "punctuation", "max_repeats", "templates"])
@pytest.mark.parametrize("scope", ["all", "one source"])
def test_a_section_given_in_part_has_its_own_defaults_for_the_rest(section: str, scope: str, tmp_path: Path) -> None:
    text = {"text": {section: {"enabled": False}}}
    given = text if scope == "all" else {"sources": {"tieba": text}}
    settings = load([written(tmp_path, json.dumps(given))]).of("tieba")
    default = getattr(Settings().text, section)
    assert getattr(settings.text, section) == msgspec.structs.replace(default, enabled=False)
