"""Settings of word lists and of filters of plugins: results depend on the words, and faults name file and key."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from chat_corpus.errors import UsageError
from chat_corpus.pipeline.filters.options import FilterOptions, WordList
from chat_corpus.pipeline.filters.table import FILTERS
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.settings import filter_settings, loading
from chat_corpus.settings.model import Settings
from tests.helpers import put

WORDS = "代理\nvip\n"
SHA = hashlib.sha256(WORDS.encode()).hexdigest()


def loaded(folder: Path, text: str) -> Settings:
    (folder / "my.yaml").write_text(text, "utf-8")
    return loading.load([folder / "my.yaml"])


def test_a_word_list_is_known_by_its_words_for_all_sources_and_for_one(tmp_path: Path) -> None:
    path = put(tmp_path, {"ads.txt": WORDS}) / "ads.txt"
    settings = loaded(tmp_path, f"filters: {{deny: ['{path}']}}\nsources: {{ptt: {{filters: {{allow: '{path}'}}}}}}\n")
    expected = (WordList(path=str(path), sha256=SHA),)
    assert (settings.filters.deny, settings.filters.allow) == (expected, ())
    assert (settings.of("ptt").filters.deny, settings.of("ptt").filters.allow) == (expected, expected)
    assert settings.of("tieba").filters.allow == ()


def test_the_path_of_a_list_is_relative_to_the_current_folder_and_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, {"lists/ads.txt": WORDS})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    expected = str(Path("lists/ads.txt").absolute())
    for path in ("lists/ads.txt", "./lists/ads.txt", "~/lists/ads.txt"):
        (deny,) = loaded(tmp_path, f"filters: {{deny: ['{path}']}}\n").filters.deny
        assert (deny.path, deny.sha256) == (expected, SHA)


def test_a_list_in_another_place_gives_the_same_results_and_other_words_do_not(tmp_path: Path) -> None:
    """So an output of one machine is up to date on another, and after an edit it is not."""

    def digest(name: str, words: str) -> str:
        path = put(tmp_path, {f"{name}/ads.txt": words}) / name / "ads.txt"
        return SourceSettings(filters=loaded(tmp_path, f"filters: {{deny: ['{path}']}}\n").filters).digest()

    assert digest("a", WORDS) == digest("b", WORDS)
    assert digest("a", WORDS) != digest("c", WORDS + "微信\n")


def test_a_digest_in_the_settings_is_held_to(tmp_path: Path) -> None:
    """As a report has it: settings that are used again must find the same words."""
    path = put(tmp_path, {"ads.txt": WORDS}) / "ads.txt"
    text = "\nfilters:\n  deny:\n    - {{path: '{}', sha256: '{}'}}\n"
    assert loaded(tmp_path, text.format(path, SHA)).filters.deny[0].sha256 == SHA
    with pytest.raises(UsageError, match=rf"my\.yaml:3: filters\.deny\.sha256: found {SHA}, expected 0000"):
        loaded(tmp_path, text.format(path, "0000"))


# id, content of the list or null for none, words of the message
FAULTY: list[tuple[str, bytes | None, str]] = [
    ("absent", None, "filters.deny: "),
    ("not UTF-8", "代理\n".encode("gb18030"), "ads.txt:1: not UTF-8; save the word list as UTF-8"),
    ("UTF-16", "vip\n".encode("utf-16-le"), "ads.txt:1: a NUL character, as in UTF-16; save the word list as UTF-8"),
    ("bad expression", b"vip\nre:(\n", "ads.txt:2: not a regular expression: "),
    ("an expression of everything", b"re:.*\n", "ads.txt:1: the expression matches the empty text, and so every turn"),
]


@pytest.mark.parametrize(("content", "words"), [pytest.param(*case[1:], id=case[0]) for case in FAULTY])
def test_a_faulty_list_stops_before_anything_is_read(content: bytes | None, words: str, tmp_path: Path) -> None:
    if content is not None:
        put(tmp_path, {"ads.txt": content})
    with pytest.raises(UsageError) as error:
        loaded(tmp_path, f"raw: x\nfilters:\n  deny: ['{tmp_path / 'ads.txt'}']\n")
    assert str(error.value).startswith(f"{tmp_path / 'my.yaml'}:3: filters.deny: ")
    assert words in str(error.value)


@pytest.mark.parametrize("value", ["3", "[3]", "{a: 1}", "[{sha256: x}]", "[[a]]"])
def test_what_is_no_list_of_files_is_refused_with_its_line(value: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"my\.yaml:2: filters\.deny"):
        loaded(tmp_path, f"raw: x\nfilters: {{deny: {value}}}\n")


def custom(**values: Any) -> Settings:
    return Settings(filters=FilterOptions(custom=values))


def test_a_setting_for_a_filter_that_no_plugin_defines_is_refused() -> None:
    filter_settings.check_custom(custom(ads=False), ["ads"])
    with pytest.raises(UsageError, match=r"^filters\.custom\.ads: no plugin defines .*; load it with --plugin FILE$"):
        filter_settings.check_custom(custom(ads=False), [])
    with pytest.raises(UsageError, match=r"^filters\.custom\.ads: .*; the filters of plugins are: spam, bots$"):
        filter_settings.check_custom(custom(ads=False), ["spam", "bots"])


@pytest.mark.parametrize("name", sorted({"min_chars", "echo", "custom", *(one.name for one in FILTERS)}))
def test_a_plugin_cannot_take_the_name_of_a_filter_or_an_option(name: str) -> None:
    with pytest.raises(UsageError, match=f"filter '{name}': chat-corpus has a filter of this name; rename yours"):
        filter_settings.check_custom(Settings(), [name])
