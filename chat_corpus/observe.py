"""What a sample of raw text shows of itself: whether its words are segmented as its source declares."""

from __future__ import annotations

import polars as pl

from chat_corpus.raw import cut_at_line, numbered_lines
from chat_corpus.schema import Segmentation

#: Between two Han characters, or a Han character and a mark or a Latin word, per Han character. Measured: segmented
#: weibo and douban 0.45 to 0.6; subtitles, which use blanks as commas, 0.04; PTT 0.06; forum text below 0.02.
_SHARE = 0.15
_SEPARATORS = {Segmentation.BLANK: " ", Segmentation.SLASH: "/"}


def observed(sample: bytes, declared: Segmentation) -> Segmentation:
    """The declared segmentation where the sample bears it out, else none.

    >>> observed("我/想/睡/了/\\n".encode(), Segmentation.SLASH).value
    'slash'
    >>> observed("我想睡了 24/7\\n".encode(), Segmentation.SLASH).value
    'none'
    """
    separator = _SEPARATORS.get(declared)
    if separator is None:
        return declared
    texts = numbered_lines(sample[: cut_at_line(sample)] or sample, 1)["text"]
    han = texts.str.count_matches(r"\p{Han}").sum()
    after_han = texts.str.count_matches(rf"\p{{Han}}{separator}[^{separator}\n]").sum()
    return declared if han and after_han / han > _SHARE else Segmentation.NONE
