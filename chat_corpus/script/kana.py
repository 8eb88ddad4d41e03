"""Japanese in a turn: its kanji look traditional and must stay (東京へ行きます); the Chinese beside it must not."""

from __future__ import annotations

import re
from collections.abc import Callable

#: Two neighbouring kana other than の, which Taiwan writes for 的, and than those of kana faces (ノ ツ シ ゞ).
KANA = r"[ぁ-ねは-ゖァ-サスセソタチテトナニヌネハ-モャ-ヺー][ぁ-ゖァ-ヺー]"

_KANA = re.compile(KANA)
_RUN = re.compile(r"[ぁ-ゖァ-ヺー々〆一-鿿㐀-䶿0-9]+")

#: Words of nearly every Chinese turn that no Japanese one has, in both scripts (是 的 有 不 are in Japanese words too),
#: and common characters that Japan writes differently: 灣 is 湾 there, 學 学.
_CHINESE = re.compile(
    "[你妳您們们這这嗎吗吧沒没麼么說说她啊呢哪啦喔哦欸嘛跟給给讓让還还誰谁很也嘅唔係佢喺冇咁嘢啲哋咗我個个]|謝謝|谢谢"
    "|[灣國學會來對發點聲體關單氣圖畫經濟轉應變戀讀樂歡舊團價區實寶邊當參總繼續顏觀]"
)


def around_japanese(text: str, convert: Callable[[str], str]) -> str:
    """Convert all of a text but its Japanese.

    A text that has kana and none of the words that any Chinese sentence has is Japanese and stays whole. In others,
    each run of kana and Han without those words stays, and the rest is converted.

    >>> around_japanese("東京へ行きます", lambda text: text.replace("東", "东"))
    '東京へ行きます'
    >>> around_japanese("我愛東京！愛してるよ", lambda text: text.replace("愛", "爱").replace("東", "东"))
    '我爱东京！愛してるよ'
    """
    if not _CHINESE.search(text) and len(_KANA.findall(text)) > 1:
        return text
    result = []
    done = 0
    for run in _RUN.finditer(text):
        if _KANA.search(run[0]) and not _CHINESE.search(run[0]):
            result += [convert(text[done : run.start()]), run[0]]
            done = run.end()
    return "".join(result) + convert(text[done:])
