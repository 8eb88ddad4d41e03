"""Deny and allow lists: how lines match, and how faults of a file are named."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.pipeline.filters import word_lists
from chat_corpus.pipeline.filters.options import FilterOptions, WordList
from chat_corpus.settings.loading import load
from tests.conftest import examples

#: Lines of a deny list, lines of an allow list, texts that are denied, texts that stay.
CASES = {
    "Han match as strings": (["代理"], [], ["做代理吗", "代理"], ["代 理", "代", ""]),
    "Latin words are bounded by other characters than letters": (
        ["sb"], [], ["SB", "你个sb吗", "sb250", "x sb."], ["sbx", "usb", "Šsb", "s b"],
    ),
    "digits are bounded by digits": (["qq123"], [], ["QQ123", "aa qq123吗"], ["qq1234", "xqq123"]),
    "a word of both": (["加QQ群"], [], ["加qq群吧"], ["加qq吧"]),
    "an expression": (["re:加.{0,3}群", "re:(?i)vip\\d+"], [], ["快加我的群", "VIP12"], ["加一二三四群", "vip"]),
    "an allowed longer word wins": (["代理"], ["代理人"], ["代理人和代理"], ["代理人", "代理人代理人"]),
    "an allowed expression wins": (["re:\\d{5}"], ["re:\\d{6}"], ["12345"], ["123456", "1234"]),
    "an allowed word that only overlaps does not win": (["代理"], ["理人"], ["代理人"], ["理人"]),
    "the same word in both is allowed": (["好"], ["好"], [], ["好", "好的"]),
    "comments, blanks and blank lines": (["# 好", "", "  坏  "], [], ["坏人"], ["好", " "]),
    "longer words that share a beginning": (["中国", "中国人民", "中"], ["中国人"], ["中国人民"], ["中国人", "国"]),
    "Cyrillic is a word": (["да"], [], ["да", "好да好"], ["дар", "вода"]),
    "kana match as strings": (["です"], [], ["そうですね"], ["そう"]),
}  # fmt: skip


def options(folder: Path, deny: list[str], allow: list[str] = []) -> FilterOptions:  # noqa: B006 never changed
    lists = []
    for name, lines in (("deny.txt", deny), ("allow.txt", allow)):
        (folder / name).write_text("\n".join(lines), "utf-8")
        lists.append((word_lists.digested(str(folder / name)),))
    return FilterOptions(deny=lists[0], allow=lists[1])


@pytest.mark.parametrize("name", CASES)
def test_how_lines_match(name: str, tmp_path: Path) -> None:
    deny, allow, rejected, kept = CASES[name]
    texts = pl.Series([*rejected, *kept, None], dtype=pl.String)
    found = word_lists.denied(texts, options(tmp_path, deny, allow))
    assert found.is_not_null().to_list() == [True] * len(rejected) + [False] * (len(kept) + 1), found.to_list()


def test_the_message_names_the_line_and_what_matched(tmp_path: Path) -> None:
    found = word_lists.denied(pl.Series(["你好代理", "加我群"]), options(tmp_path, ["# ads", "代理", "re:加.群"]))
    assert found.to_list() == ["denied by deny.txt:2: 代理", "denied by deny.txt:3: 加我群"]


def test_a_byte_order_mark_and_other_line_breaks_are_tolerated(tmp_path: Path) -> None:
    (tmp_path / "deny.txt").write_bytes("\ufeff代理\r\n广告\r\n".encode())
    lists = (word_lists.digested(str(tmp_path / "deny.txt")),)
    assert word_lists.denied(pl.Series(["代理", "广告", "好"]), FilterOptions(deny=lists)).null_count() == 1


@pytest.mark.parametrize(("content", "expected"), [
    (b"a\nre:(b\n", "deny.txt:2: not a regular expression: "),
    (b"a\n\xff\xfe\n", "deny.txt:2: not UTF-8"),
    ("ad\n".encode("utf-16-le"), "deny.txt:1: a NUL character, as in UTF-16"),
    (b"re:a*\n", "deny.txt:1: the expression matches the empty text"),
    (None, "deny.txt: the word list cannot be read"),
])  # fmt: skip
def test_a_fault_is_named_with_its_line_and_the_setting(content: bytes | None, expected: str, tmp_path: Path) -> None:
    file = tmp_path / "deny.txt"
    if content is not None:
        file.write_bytes(content)
    (tmp_path / "c.yaml").write_text(f"filters:\n  deny: [{file}]\n", "utf-8")
    with pytest.raises(UsageError) as raised:
        load([tmp_path / "c.yaml"])
    assert str(raised.value).startswith(f"{tmp_path / 'c.yaml'}:2: filters.deny: ")
    assert expected in str(raised.value)


def test_settings_depend_on_the_content_of_a_list_and_not_on_its_folder(tmp_path: Path) -> None:
    digests = []
    for folder, content in (("a", "好"), ("b", "好"), ("c", "坏")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "deny.txt").write_text(content, "utf-8")
        digests.append(load((), {"filters": {"deny": [str(tmp_path / folder / "deny.txt")]}}).of("ptt").digest())
    assert digests[0] == digests[1] != digests[2]


def test_a_list_that_changed_since_the_settings_were_read_is_refused(tmp_path: Path) -> None:
    made = options(tmp_path, ["好"])
    (tmp_path / "deny.txt").write_text("坏", "utf-8")
    word_lists.load.cache_clear()
    with pytest.raises(ChatCorpusError, match="the word list changed"):
        word_lists.denied(pl.Series(["好"]), made)
    given_digest = {"path": str(tmp_path / "deny.txt"), "sha256": made.deny[0].sha256}
    with pytest.raises(UsageError, match=r"filters\.deny\.sha256"):
        load((), {"filters": {"deny": [given_digest]}})


def test_lists_are_files_in_a_list(tmp_path: Path) -> None:
    (tmp_path / "deny.txt").write_text("好", "utf-8")
    one = load((), {"filters": {"deny": str(tmp_path / "deny.txt")}}).filters.deny
    assert [item.path for item in one] == [str(tmp_path / "deny.txt")]
    assert isinstance(one[0], WordList)
    with pytest.raises(UsageError, match="expected a list of files"):
        load((), {"filters": {"deny": [3]}})
    of_source = load((), {"sources": {"ptt": {"filters": {"deny": [str(tmp_path / "deny.txt")]}}}})
    assert (of_source.of("ptt").filters.deny, of_source.of("weibo").filters.deny) == (one, ())


_WORDS = st.lists(st.text(alphabet="ab中国好1", min_size=1, max_size=3), min_size=1, max_size=5)


@example(deny=["中", "中1"], allow=["中"], texts=["中"])  # the end of the text cuts off the longer word
@given(_WORDS, _WORDS, st.lists(st.text(alphabet="abA中国好1 ", max_size=10), max_size=5))
@settings(max_examples=examples(60), deadline=None)
def test_hits_are_those_of_the_definition(deny: list[str], allow: list[str], texts: list[str]) -> None:
    def spans(text: str, words: list[str]) -> set[tuple[int, int]]:
        small = text.lower()
        found = {(at, at + len(word)) for word in words for at in range(len(text)) if small.startswith(word, at)}
        return {(begin, end) for begin, end in found if not joined(small, begin) and not joined(small, end)}

    def joined(text: str, at: int) -> bool:
        left, right = text[at - 1 : at], text[at : at + 1]
        return (left.isascii() and left.isalpha() and right.isascii() and right.isalpha()) or (
            left.isdigit() and right.isdigit()
        )

    expected = [
        any(
            not any(first <= begin and end <= last for first, last in spans(text, allow))
            for begin, end in spans(text, deny)
        )
        for text in texts
    ]
    index = dict.fromkeys(deny, "f:1"), dict.fromkeys(allow, "f:1")
    found = []
    for text in texts:
        series = pl.Series([text])
        hits, allowed = ([hit for _, hit in word_lists._word_hits(series, words, first_only=False)] for words in index)
        found.append(word_lists._first_denied(hits, allowed) is not None)
    assert found == expected
