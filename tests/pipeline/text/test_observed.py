"""Whether a sample of raw text shows the segmentation that its source declares."""

from __future__ import annotations

import pytest

from chat_corpus.pipeline.text.segmentation import observed
from chat_corpus.schema import Segmentation

BLANKS = "我 今天 想 吃 面\t那 就 走 吧\n你 说 呢 ？\n"
SLASHES = "E\nM 是/王/若/猫/的/。\nM 走/吧/！/\n"
PLAIN = "E\nM 我今天想吃面，24/7 都想\nM 好 走吧\n"


@pytest.mark.parametrize(
    ("text", "declared", "expected"),
    [
        (BLANKS, Segmentation.BLANK, Segmentation.BLANK),
        (SLASHES, Segmentation.SLASH, Segmentation.SLASH),
        (PLAIN, Segmentation.SLASH, Segmentation.NONE),
        (PLAIN, Segmentation.BLANK, Segmentation.NONE),
        (BLANKS, Segmentation.SLASH, Segmentation.NONE),
        (SLASHES, Segmentation.BLANK, Segmentation.NONE),
        (BLANKS, Segmentation.NONE, Segmentation.NONE),
        ("no Chinese at all\n", Segmentation.SLASH, Segmentation.SLASH),
        ("", Segmentation.BLANK, Segmentation.BLANK),
    ],
)
def test_the_declared_segmentation_must_show(text: str, declared: Segmentation, expected: Segmentation) -> None:
    assert observed(text.encode(), declared) is expected


def test_a_sample_cut_inside_a_character_or_with_bad_bytes_still_shows() -> None:
    assert observed(BLANKS.encode() + b"\xff\n" + "好".encode()[:2], Segmentation.BLANK) is Segmentation.BLANK
    assert observed(BLANKS.split("\n")[0].encode(), Segmentation.BLANK) is Segmentation.BLANK
    assert observed(b"\xff\xfe", Segmentation.SLASH) is Segmentation.NONE
