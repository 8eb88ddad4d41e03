"""A cheap check for turns that may contain Japanese: few do, and only these need `japanese`, which is slow to load."""

from __future__ import annotations

#: Characters that only Japanese has: forms simplified in Japan alone, and characters made there.
MADE_IN_JAPAN = (
    "両亜仏仮価倹児円処剣剤剰労勧勲単厳呉営団図圏塁塩増壊壌壱売変奨嬢実寛対専巌巣巻帯帰庁広廃弐弾従徴応恵悩悪懐戦払抜択拝拠拡挙捜掲"
    "掻揺摂撃斉斎暁暦栄桜桟検楽様権歓歩歯歳毎気沢浄涙渇済渉渋渓満滝瀬焼犠猟獣畳痩発県砕稲穂穏竜粋粛経絵継続総縁縄縦繊繍聡聴脳臓舎舗"
    "荘蔵薫薬蛍覚覧観訳読譲転軽辺逓遅郷酔醸釈鉄鉱銭鋳錬関闘陥険隠雑霊顔顕駅駆騒験髄髪鶏黒黙齢込働峠畑辻匂枠栃榊噺笹凪麿榎々〆"
)

#: What comes before の at the beginning of a Japanese name or title: 愛の力. Elsewhere Taiwan writes の for 的.
HEADS = "[愛日君僕俺夢恋春夏秋冬風空海星月花雪夜森魂光時心鬼虹天母父幻]"

#: Kana that call for a closer look: hiragana after Han or next to kana (not (づ・ω)づ), except の, which Taiwan writes
#: for 的; katakana next to kana, except those of faces (ノ ツ シ ゞ); and の in a possible title: in brackets, or next
#: to a character of Japan (進撃の).
KANA = (
    "[一-鿿々][ぁ-ねは-ゖ]|[ぁ-ねは-ゖ][ぁ-ゖァ-ヺー]|[おご][一-鿿]|[ァ-サスセソタチテトナニヌネハ-モャ-ヺー][ぁ-ゖァ-ヺー]"
    f"|の[一-鿿]+[」』》〉]|[{MADE_IN_JAPAN}]の|の[{MADE_IN_JAPAN}]|{HEADS}の[一-鿿]"
)

#: Kana, as the inside of a character class: every text that matches `KANA` has one.
ANY_KANA = "ぁ-ゖァ-ヺ"
