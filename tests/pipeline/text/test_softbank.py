"""The table of SoftBank's emoji: what it holds, how it is made, and that no other step breaks what it gives."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from chat_corpus.pipeline.text.normalizer import normalize
from chat_corpus.pipeline.text.options import TextOptions
from chat_corpus.pipeline.text.softbank import GATE, TABLE, emoji
from chat_corpus.schema import Markup, Segmentation, Traits
from tests.pipeline.text import softbank

WEIBO = Traits(segmentation=Segmentation.BLANK, markup=frozenset({Markup.MICROBLOG, Markup.SOFTBANK}))


def test_every_code_of_the_table_passes_the_gate_and_is_an_emoji_of_its_own() -> None:
    assert len(emoji()) == len(set(emoji().values())) == 470
    assert pl.Series(list(emoji())).str.contains(f"^{GATE}$").all()
    whole = r"^(?:\p{Extended_Pictographic}\x{FE0F}?|[0-9#]\x{FE0F}\x{20E3}|[\x{1F1E6}-\x{1F1FF}]{2})$"
    assert pl.Series(list(emoji().values())).str.contains(whole).all()


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("\ue001", "👦"),
        ("\ue022", "❤️"),
        ("\ue106", "😍"),
        ("\ue210", "#️⃣"),
        ("\ue34b", "🎂"),
        ("\ue415", "😄"),
        ("\ue513", "🇨🇳"),
    ],
)
def test_known_codes_are_the_emoji_that_phones_showed(code: str, meant: str) -> None:
    assert emoji()[code] == meant


def test_each_emoji_comes_whole_through_all_steps() -> None:
    texts = pl.Series("text", [f"好 {code}" for code in emoji()])
    assert normalize(texts, TextOptions(), WEIBO).to_list() == [f"好{meant}" for meant in emoji().values()]


def test_the_table_is_made_of_the_package_as_it_is_published(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "some-data", "version": "1.2"}')
    (tmp_path / "LICENSE").write_text("Free\nfor all")
    entries = [{"unified": "1F600", "softbank": None}, {"unified": "26A1", "softbank": "E13D"}]
    (tmp_path / "emoji.json").write_text(json.dumps([*entries, {"unified": "2764-FE0F", "softbank": "E022"}]))
    made = json.loads(softbank.table(tmp_path))
    assert made["emoji"] == {"E022": "2764-FE0F", "E13D": "26A1"}
    assert made["licence"] == ["Free", "for all"]
    assert made.keys() == json.loads(TABLE.read_bytes()).keys()
    with pytest.raises(ValueError, match="E022 is 2764-FE0F and 2665-FE0F"):
        softbank.codes([{"unified": f"{code}-FE0F", "softbank": "E022"} for code in ("2764", "2665")])
