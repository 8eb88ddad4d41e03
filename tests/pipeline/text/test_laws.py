"""What holds for any text, options and traits."""

from __future__ import annotations

import unicodedata
from collections import Counter

import msgspec
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat_corpus.pipeline.character_scan import code_points
from chat_corpus.pipeline.script import ScriptOptions, load
from chat_corpus.pipeline.text import unicode, whitespace
from chat_corpus.pipeline.text.gates import PLAIN, Part, apply_gated
from chat_corpus.pipeline.text.normalizer import explain, normalize, normalize_and_flag
from chat_corpus.pipeline.text.options import MaxRun, Policy, RepostPolicy, Templates, TextOptions
from chat_corpus.pipeline.text.segmentation import drop_separators
from chat_corpus.pipeline.text.steps import STEPS
from chat_corpus.schema import Markup, Script, Segmentation, Traits
from tests.conftest import examples
from tests.pipeline.signs import holds
from tests.pipeline.text import cases

CASES = cases.read()
MANY = settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
SOME = settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.too_slow])

# What the steps look for, whole and in pieces, so that random texts come near their edges.
PIECES = [
    *"今天好哈。，！？：、“”…—·（）《》ａＺ０９～",
    *" \t\n\r/\\'\"_-.,!?:;()[]{}<>#@&%=+*|^~aZ09hx",
    *"\u00a0\u3000\u2028\u0085\u200b\u200d\ufe0f\ufeff\ue004\ufdd0\ufdd1\x07\ufffd\u0301か\u3099éĺčд한ω⻓⽤😀👍🏻ﾉ",
    *[
        "  ",
        " / ",
        "///",
        "://",
        "http://",
        "www.",
        "_url_",
        "alink",
        "&lt;",
        "&amp;",
        "lt;",
        "&#10;",
        "<b>",
        "</b>",
        "<br>",
    ],
    *[
        "{br}",
        "【换行】",
        "{face:1}",
        "{r+}",
        r"{\an8}",
        r"\N",
        "//@名:",
        "回复 名 ：",
        "回复 名字 ",
        " ——来自 MI 5",
        "来自手机贴吧",
        *[
            "[b]",
            "[/b]",
            "[url=http://a.cn]",
            "[/url]",
            "[code]",
            "[/code]",
            "[list]",
            "[*]",
            "[/list]",
            "[img]",
            "\u00ad5",
        ],
        "@名",
        "#题#",
        "[哈哈]",
        " 's",
        '" "',
        " . ",
        " - ",
    ],
    *[
        "哈哈哈哈哈哈",
        "！！！！",
        "？！？！？！？！",
        "………",
        "。。。。。。。",
        "———",
        "-----",
        "hahahahahaha",
        "😀" * 6,
        "aaaaaa",
    ],
    *["１ ９ ９", "１/９/", "ｃ ｍ", "２９．５", "8．2", " ． ", "24 K ", " 16 GB", "A 1 B 2", " x 3", " $ 5"],
    *["don ' t", "I ' m ", " n't", "N' R", " 'n' ", "boys ' room", " ‘ yes ’ ", "’s ", " ' ", "o ' clock"],
    *["#DDDDDD", "0xFFFFFF", "aaaaaaa.com/", "/usr/aaaaaa", "ffffffff-", "ff:ff:", "d41d8cd98f00", "C:\\", "a@"],
    *["\u013a\u00b9", "ä½\u00a0", "今 天", "今/天/", "give me", "iPhone 5", "( ﾉ´∀ ｀ * ) ﾉ", "3 . 5"],
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.characters(codec="utf-8"), max_size=14).map("".join)
TRAITS = st.builds(
    Traits,
    segmentation=st.sampled_from(Segmentation),
    markup=st.frozensets(st.sampled_from(Markup)),
    structured=st.booleans(),
)
POLICIES = st.sampled_from(Policy)
BOUNDS = st.builds(MaxRun, enabled=st.booleans(), limit=st.integers(1, 7))
BY_TYPE = {
    bool: st.booleans(),
    Policy: POLICIES,
    RepostPolicy: st.sampled_from(RepostPolicy),
    MaxRun: BOUNDS,
    Templates: st.builds(Templates, enabled=st.booleans(), faces=POLICIES),
}
OPTIONS = st.builds(TextOptions, **{field.name: BY_TYPE[field.type] for field in msgspec.structs.fields(TextOptions)})


@MANY
@given(TEXTS, OPTIONS, TRAITS)
def test_the_table_is_idempotent(text: str, options: TextOptions, traits: Traits) -> None:
    once = cases.whole(text, options, traits)
    assert cases.whole(once, options, traits) == once


@MANY
@given(TEXTS, TRAITS)
def test_the_table_is_idempotent_with_default_options(text: str, traits: Traits) -> None:
    once = cases.whole(text, TextOptions(), traits)
    assert cases.whole(once, TextOptions(), traits) == once


@MANY
@given(TEXTS, OPTIONS, TRAITS)
def test_the_explanation_agrees_with_the_table(text: str, options: TextOptions, traits: Traits) -> None:
    now = text
    for change in explain(text, options, traits):
        assert change.before == now
        assert change.after != now
        now = change.after
    assert now == cases.whole(text, options, traits)


@SOME
@given(st.lists(st.none() | TEXTS, max_size=12), TRAITS)
def test_rows_keep_their_number_order_and_nulls(texts: list[str | None], traits: Traits) -> None:
    column = pl.Series("utterance", texts, dtype=pl.String)
    result = normalize(column, TextOptions(), traits)
    assert result.name == "utterance"
    assert result.dtype == pl.String
    assert result.to_list() == [text if text is None else cases.whole(text, TextOptions(), traits) for text in texts]
    assert column.to_list() == texts


@MANY
@given(st.lists(st.none() | TEXTS | st.text("後著麽乾们好", max_size=3), max_size=12), OPTIONS, TRAITS)
def test_what_clean_texts_hold_is_what_a_look_at_them_finds(
    texts: list[str | None], options: TextOptions, traits: Traits
) -> None:
    converter = load(ScriptOptions())
    column = pl.Series("text", texts, dtype=pl.String)
    clean = normalize_and_flag(column, options, traits, converter.classes)
    assert clean["text"].equals(normalize(column, options, traits))
    for number, characters in enumerate(converter.classes.values()):
        found = clean["text"].str.contains(f"[{characters}]").fill_null(value=False)
        assert (clean["held"] & (1 << number) != 0).equals(found, check_names=False)
    converted = converter.convert(clean["text"], declared=traits.script, held=clean["held"])
    assert converted.equals(converter.convert(clean["text"], declared=traits.script))


PLAIN_CHARACTERS = set(map(chr, code_points(PLAIN)))
PLAIN_PIECES = [piece for piece in PIECES if PLAIN_CHARACTERS.issuperset(piece)]
PLAIN_MARKS = st.sampled_from(sorted(PLAIN_CHARACTERS - set(map(chr, range(0x4E00, 0xA000)))))
PLAIN_TEXTS = st.lists(
    st.sampled_from(PLAIN_PIECES)
    | st.tuples(PLAIN_MARKS | st.just("好"), st.integers(1, 22)).map(lambda one: one[0] * one[1]),
    max_size=10,
).map("".join)


@MANY
@given(PLAIN_TEXTS, OPTIONS, TRAITS)
def test_a_step_that_changes_a_plain_text_declares_what_it_holds(
    text: str, options: TextOptions, traits: Traits
) -> None:
    for step in STEPS:
        changed = apply_gated(pl.Series("text", [text]), step.parts(options, traits)).item() != text
        declared = step.plain_signs(options, traits)
        assert not changed or any(holds(text, sign) for sign in declared), (step.name, declared)


@MANY
@given(st.lists(st.text(" a好。", max_size=6), min_size=1, max_size=8))
def test_blanks_of_plain_texts_are_squeezed_in_all_at_once_as_in_each(texts: list[str]) -> None:
    frame = pl.DataFrame({"text": texts})
    ((_, at_once),) = whitespace.plain_parts(TextOptions(), Traits())
    assert callable(at_once)
    assert "\n" not in PLAIN_CHARACTERS
    assert frame.select(at_once(pl.col("text"))).equals(frame.select(whitespace.squeeze_blanks(pl.col("text"))))


@pytest.mark.parametrize(("kind", "separator"), [(Segmentation.BLANK, " "), (Segmentation.SLASH, "/")])
def test_separators_are_dropped_from_many_texts_as_from_each(kind: Segmentation, separator: str) -> None:
    pieces = ["好", "", separator, f"今天{separator}天气{separator}", "。", f"x^{separator}2", None]
    traits, texts = Traits(segmentation=kind), pl.Series("utterance", pieces * 1000)
    alone = [normalize(pl.Series([text], dtype=pl.String), TextOptions(), traits).item() for text in pieces]
    assert normalize(texts, TextOptions(), traits).equals(pl.Series("utterance", alone * 1000))
    for begin in ("x^", ""):  # the first bytes of a compressed file; an empty text
        column = pl.Series([begin, f"好{separator}", ""] * 3000)
        assert drop_separators(column, kind).to_list() == [begin, "好", ""] * 3000
    assert PLAIN_CHARACTERS.isdisjoint("\r\n")


def _changes(parts: tuple[Part, ...]) -> list[Part]:
    """List the parts that are functions, each under its own gate."""
    return [leaf for part in parts for leaf in ([part] if callable(part[1]) else _changes(part[1]))]


@MANY
@given(TEXTS, OPTIONS, TRAITS)
def test_a_gate_lets_through_all_that_its_change_would_change(text: str, options: TextOptions, traits: Traits) -> None:
    frame = pl.DataFrame({"text": [text]})
    slashed = traits.segmentation is Segmentation.SLASH  # there, the gates of the parts decide, not only filter
    for step in STEPS:
        if step.name == "segmentation" and slashed:
            continue
        for gate, change in _changes(step.parts(options, traits)):
            assert callable(change)
            changed = frame.select(change(pl.col("text"))).item() != text
            assert not changed or frame.select(pl.col("text").str.contains(gate)).item(), (step.name, gate)


@MANY
@given(st.lists(st.none() | TEXTS, max_size=8), OPTIONS, TRAITS)
def test_each_step_is_counted_once_for_each_row_that_its_explanation_names_it_for(
    texts: list[str | None], options: TextOptions, traits: Traits
) -> None:
    changed: Counter[str] = Counter()
    result = normalize_and_flag(pl.Series("text", texts, dtype=pl.String), options, traits, changed=changed)
    settled = [text for text, left in zip(texts, result["unsettled"], strict=True) if text is not None and not left]
    assert changed == Counter(
        step for text in settled for step in {change.step for change in explain(text, options, traits)}
    )


def _without(options: TextOptions, name: str) -> TextOptions:
    """Return the options with one step off."""
    off = {
        bool: False,
        Policy: Policy.KEEP,
        RepostPolicy: RepostPolicy.KEEP,
        MaxRun: MaxRun(enabled=False),
        Templates: Templates(enabled=False),
    }
    return msgspec.structs.replace(options, **{name: off[type(getattr(options, name))]})


@SOME
@given(TEXTS, TRAITS)
def test_with_every_step_off_nothing_changes(text: str, traits: Traits) -> None:
    options = TextOptions()
    for step in STEPS:
        options = _without(options, step.name)
    assert cases.whole(text, options, traits) == text
    assert explain(text, options, traits) == []


@SOME
@given(TEXTS, TRAITS, st.sampled_from([step.name for step in STEPS]))
def test_a_step_that_changes_nothing_may_as_well_be_off(text: str, traits: Traits, name: str) -> None:
    changes = explain(text, TextOptions(), traits)
    if name in {change.step for change in changes}:
        return
    assert explain(text, _without(TextOptions(), name), traits) == changes


@SOME
@given(st.text(st.sampled_from("今天我们说一二三的了，。？！：；“”《》（）abc019")))
def test_clean_text_is_untouched(text: str) -> None:
    for mark in "，。？！：；":
        text = text.replace(mark * 2, mark)
    while (shorter := text.replace("一一", "一").replace("天天", "天")) != text:
        text = shorter
    result = cases.whole(text, TextOptions(), Traits())
    assert result == text or max(map(len, _runs(text))) > 3


def _runs(text: str) -> list[str]:
    runs: list[str] = [""]
    for character in text:
        if runs[-1][-1:] == character:
            runs[-1] += character
        else:
            runs.append(character)
    return runs


@SOME
@given(TEXTS, TRAITS)
def test_default_options_keep_the_words_of_plain_chinese(text: str, traits: Traits) -> None:
    plain = "".join(character for character in text if character in "今天好。，！？：、“”…—·（）《》\n ")
    kept = [character for character in cases.whole(plain, TextOptions(), traits) if character.isalnum()]
    assert kept == [character for character in plain if character.isalnum()] or max(map(len, _runs("".join(kept)))) >= 5


def test_the_gate_of_nfc_lets_through_every_character_that_nfc_may_change() -> None:
    letters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    gated = pl.Series(letters).str.contains(unicode.GATES["compose"]).to_list()
    passed = [letter for letter, through in zip(letters, gated, strict=True) if not through]
    assert not [letter for letter in passed if unicodedata.combining(letter)]
    assert not [letter for letter in passed if unicodedata.normalize("NFC", letter) != letter]
    # What composes with the character before it ends a canonical decomposition of two, or is a jamo.
    pairs = (unicodedata.decomposition(letter).split(" ") for letter in letters)
    ends = {parts[1] for parts in pairs if len(parts) == 2 and not parts[0].startswith("<")}
    assert not [letter for letter in passed if f"{ord(letter):04X}" in ends or "\u1100" <= letter <= "\u11ff"]


@pytest.mark.parametrize("code", [0x2329, 0xF900, 0x2F800, 0x3099, 0x1161, 0x212B])
def test_known_troublemakers_of_nfc_pass_its_gate(code: int) -> None:
    assert pl.select(pl.lit(chr(code)).str.contains(unicode.GATES["compose"])).item()


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("<lı>好</lı>", "<lı>好</lı>"),
        ("好<İmg src=x></p>好", "好<İmg src=x>好"),
        ("hı" * 8 + " " + "哈" * 8, "hı" * 8 + " " + "哈" * 5),
    ],
)
def test_letters_that_fold_to_ascii_are_none_of_a_tag_or_a_laugh(text: str, clean: str) -> None:
    assert cases.whole(text, TextOptions(), Traits(script=Script.HANS)) == clean


@pytest.mark.usefixtures("never_hangs")
def test_what_has_been_escaped_a_hundred_thousand_times_comes_out() -> None:
    text = "&" + "amp;#x26;#38;" * 60_000 + "lt;_&" + "amp;" * 9
    assert normalize(pl.Series([text]), TextOptions(), Traits()).to_list() == ["<_&"]
