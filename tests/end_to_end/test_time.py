"""Time in proportion: no step, conversion or format takes more than a second of CPU for 64 kB made to be slow."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import permutations

import polars as pl
import pytest

from chat_corpus import sources
from chat_corpus.formats.base import Format
from chat_corpus.messages import one_line, safe
from chat_corpus.pipeline import script
from chat_corpus.pipeline.script import ScriptOptions
from chat_corpus.pipeline.text import normalizer
from chat_corpus.pipeline.text.options import Policy, TextOptions
from chat_corpus.schema import Markup, Script, Segmentation, Traits

SIZE = 1 << 16
SECONDS = 1.0
#: What steps and formats look for, whole and in pieces: repeated, alternated and nested they make the worst texts.
TOKENS = [
    *["<", "<e", "m>", "<em", "<b>", "</b>", '<b a="', "</p> ", "<br", "&#x3", "&amp;", "&", "5", ";"],
    *["&#", "\u200d", "👩", "🏻", "\ufe0f", "a", "\u0301", "哈", "[x]", "[", "]", "(", ")", "(中", "."],
    *["。", "！", "?", "！？", "/", "//", "///", "/ /", "@a ", "//@a:", "回复 a：", "#a", "#", "http://"],
    *["www.", "alink", "_url_", "{br}", "【换", "行】", "{\\an8}", "{", "}", "\\N", "\n", " \n", "\r", "\t", " ", "  "],
    *["'", " ' ", '"', '" ', "1 . ", "1,", "A & ", "R ", "か", "カ", "の", "々", "愛", "乾", "著", "麼"],
    *["\ufdd0", "\ue000", "⻓", "ha", "hia", "가", "- ", "=", "…", "—", "’ s ", "0", "９", "\\'", "x.com"],
    *["𠮷", "⿰", "\u200b", "ĺź\x80", " | ", ",", '""', " +++$+++ ", "{}", "[]", '{"', '":', "E", "M "],
    *["- - ", "&a ", "*a ", "!a ", "? ", ": ", "<message>", "</message>", "Human:", "Assistant:", "\\n"],
    *["\\u", "\\ud800", "\0", "回复 a ", "——", "——来自", " ——来自 MI 5", "来自手机贴吧", "发自"],
    *[
        "[b]",
        "[/b]",
        "[url=",
        "[url=a.b]",
        "[/url]",
        "[code]",
        "[/code]",
        "[list][*]",
        "[*]",
        "[b]a",
        "[/td]",
        "[img]a.b[/img]",
    ],
    *["\u00ad", "\ue106", "\ue50a", "\u00ad1", "[/mw_shl_code]"],
    *["１ ", "１ １", "１/", "8．", "5 K ", "5 ", "A 1 ", "1,1", "16 GB/", "$ 5 ", "a ' ", " 'b ", "c' d ", "s '"],
    *["‘ ", "n't ", "do n", "a, '", "#DDDDDD", "0xF", "a.", "a-", "a@", "/a", "~/", "ff:", "ff-", "ffff.", "C:\\"],
    *["\\\\a", "a1", "data:a", "rgb:", "a://", "DDDDDDDD-", "b" * 6],
]
TRAITS = {
    "plain": Traits(),
    "Taiwan": Traits(script=Script.TAIWAN),
    "all markup": Traits(script=Script.MIXED, markup=frozenset(Markup)),
    "blanks": Traits(segmentation=Segmentation.BLANK, markup=frozenset({Markup.MICROBLOG})),
    "slashes": Traits(segmentation=Segmentation.SLASH),
    "structured": Traits(structured=True),
    "egret": Traits(structured=True, markup=frozenset({Markup.BBCODE, Markup.HYPHEN})),
}
REPLACED = TextOptions(
    replies=Policy.PLACEHOLDER,
    signatures=Policy.PLACEHOLDER,
    links=Policy.PLACEHOLDER,
    link_words=Policy.PLACEHOLDER,
    mentions=Policy.PLACEHOLDER,
    hashtags=Policy.PLACEHOLDER,
    emoticons=Policy.PLACEHOLDER,
)


def _texts(seed: int, pairs: int, tokens: Sequence[str] = TOKENS) -> Iterator[str]:
    """Each token repeated; some pairs of tokens by turns, and as many of the first before as many of the second."""
    for token in tokens:
        yield token * (SIZE // len(token.encode()))
    drawn = random.Random(seed).sample(list(permutations(TOKENS, 2)), pairs)
    for first, second in drawn:
        both = len((first + second).encode())
        yield (first + second) * (SIZE // both)
        yield first * (SIZE // both) + second * (SIZE // both)


def _files(texts: Iterator[str]) -> Iterator[str]:
    """Each text as one line, and in lines of 40 characters."""
    for text in texts:
        yield text
        yield "\n".join(text[start : start + 40] for start in range(0, len(text), 40))


def _slow(work: Callable[[str], object], texts: Iterator[str]) -> list[tuple[str, float]]:
    """The beginnings of texts that take too long, measured twice, since a collection of garbage may come in between."""
    found = []
    for text in texts:
        spent = []
        for _ in range(2):
            begun = time.process_time()
            work(text)
            spent.append(time.process_time() - begun)
            if spent[-1] < SECONDS:
                break
        if min(spent) >= SECONDS:
            found.append((text[:20], min(spent)))
    return found


def _stages(traits: Traits, options: TextOptions) -> Callable[[str], object]:
    converter = script.load(ScriptOptions())

    def work(text: str) -> object:
        clean = normalizer.normalize_and_flag(pl.Series("text", [text]), options, traits)["text"]
        return converter.convert(clean, declared=traits.script)

    work("這裡東京へ行きます")  # dictionaries are compiled when first needed
    return work


def _reading(format_: Format) -> Callable[[str], object]:
    def work(text: str) -> object:
        data = text.encode()
        format_.accepts(data)
        fitted = format_.fitted(data)
        cut = fitted.cut(data) if fitted.cut is not None else len(data)
        assert cut <= len(data)
        assert fitted.count(data) >= 0
        return fitted.read(tuple(fitted.split(data, 1) for _ in range(fitted.parts)))

    return work


FORMATS = {
    f"{name} {number}": input_.format
    for name, source in sources.load().items()
    for number, input_ in enumerate(source.inputs)
}


@pytest.mark.parametrize("name", TRAITS)
def test_text_steps_and_conversion_take_time_in_proportion(name: str) -> None:
    """On some tokens, for each kind of traits others: all of them are tried with the slow tests."""
    some = TOKENS[list(TRAITS).index(name) :: len(TRAITS)]
    assert _slow(_stages(TRAITS[name], TextOptions()), _texts(1, 3, some)) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", TRAITS)
def test_text_steps_and_conversion_take_time_in_proportion_whatever_is_joined(name: str, seed: int) -> None:
    options = REPLACED if seed % 2 else TextOptions()
    assert _slow(_stages(TRAITS[name], options), _texts(seed + 100, 40)) == []


@pytest.mark.parametrize("name", FORMATS)
def test_formats_take_time_in_proportion(name: str) -> None:
    some = random.Random(name).sample(TOKENS, 1)
    assert _slow(_reading(FORMATS[name]), _files(_texts(2, 0, some))) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_formats_take_time_in_proportion_whatever_is_joined(name: str) -> None:
    assert _slow(_reading(FORMATS[name]), _files(_texts(7, 20))) == []


@pytest.mark.parametrize("shown", [safe, one_line])
def test_what_a_terminal_shows_takes_time_in_proportion(shown: Callable[[str], str]) -> None:
    assert _slow(shown, _texts(3, 3, TOKENS[::5])) == []


@pytest.mark.slow
@pytest.mark.parametrize("shown", [safe, one_line])
def test_what_a_terminal_shows_takes_time_in_proportion_whatever_is_joined(shown: Callable[[str], str]) -> None:
    assert _slow(shown, _texts(3, 20)) == []


@pytest.mark.parametrize(
    "text",
    [
        "<e" * 200 + "m>" * 200,
        "&#x3" * 2000 + "5" + ";" * 2000,
        "<b" * 50 + " >" * 50,
        "\u200d".join("👩" * 9000),
        "&#38;lt" * 30 + ";" * 30,
    ],
    ids=["tags in tags", "entities by entities", "attributes", "a chain of emoji", "escapes"],
)
def test_a_text_that_peels_for_ever_is_settled_or_left_as_it_is(text: str) -> None:
    result = normalizer.normalize_and_flag(pl.Series("text", [text, "好 的"]), TextOptions(), Traits())
    settled = not result["unsettled"][0]
    assert result["unsettled"][1] is False
    changes = normalizer.explain(text, TextOptions(), Traits())
    assert (changes[-1].after if changes else text) == result["text"][0]
    assert settled == (not changes or changes[-1].step != normalizer.UNSETTLED)
    if not settled:
        assert result["text"][0] == text
    assert normalizer.normalize(result["text"], TextOptions(), Traits()).equals(result["text"])
