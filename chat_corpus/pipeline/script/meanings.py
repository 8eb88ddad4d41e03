"""Words that OpenCC converts by the wrong meaning, and characters that it should not convert.

We found them by reading what tw2s and t2s make of PTT, and of the traditional lines in ten simplified corpora. Each
list states its reason.
"""

from __future__ import annotations

from collections.abc import Mapping

from chat_corpus.pipeline.script.variants import VARIANTS

_CHARACTERS = VARIANTS | {
    "瞭": "了",  # liǎo, to understand; words with liào, to look out, are below
    "藉": "借",  # to borrow, to use; words with its other meanings are below
    "甯": "甯",  # a surname; the dictionaries of 2023 make it 宁
    "逕": "径",
    "么": "么",  # Taiwan's table makes it 幺, and with it 什么 什幺
    "祇": "只",  # 祇有 祇是; OpenCC keeps it because of 神祇, which is below
    "衹": "只",
    "喎": "喎",  # Cantonese, as are the next three; nobody writes 㖞 㖊 㶶 㓥
    "噚": "噚",
    "燶": "燶",
    "劏": "劏",
    "篠": "篠",  # 篠田, 冨樫: Japanese names, which 筿 and 㭴 make illegible
    "樫": "樫",
}

#: 著 read zhù, to write or to be known. OpenCC's own list lacks many of these words, and has some (著書 著錄 著白 著於)
#: in which 著 nearly always ends a verb in chat: 看著書, 聽著錄音, 穿著白衣. Those are in `_ENDINGS`.
_WRITTEN = "原著 名著 鉅著 編著 譯著 論著 專著 遺著 拙著 撰著 卓著 土著 所著 著《 著有《 著書立 彰明較著"

#: Characters before 著有 that end the name of an author, or refer to one (魯迅著有吶喊), and are not verbs.
_AUTHORS = "他 她 曾 氏 授 文 山 春 迅 白 甫 庸"
_ENDINGS = (
    "著名字 著名片 著名牌 著作業 著作弊 著書 著錄 著白 著於 著式 著志 著者 "
    "草原著 高原著 平原著 簽名著 配合著 混合著 結合著 符合著 綜合著 聯合著 迎合著 融合著 合著眼 合著嘴 "
    "討論著 議論著 談論著 評論著 爭論著 辯論著 翻譯著"
)

#: 妳 becomes 你 in every turn, or in none: 第一批异体字整理表 has it as a variant of 你 (and of 奶).
FEMININE, NI = "妳", "你"

#: 么 read yāo, the youngest or one: 幺 in simplified text.
_YOUNGEST = "老么 么妹 么兒 么女 么弟 么叔 么子 么九 洞么"

#: 祇 read qí: a god of the earth, or part of a Sanskrit name.
_GODS = "神祇 地祇 祇園 祇樹 祇陀 祇洹 僧祇"

#: 於 before the second character of an old name, which OpenCC protects: 攝於倫敦, 勇於單挑, 集於其一身.
_AT = "於单 於單 於伦 於倫 於戏 於戲 於则 於則 於潜 於潛 於坦 於邑 於穆 於敖 於琳 於其一 於惟一"

#: 昇 in well-known names; it is 升 elsewhere.
_NAMES = "陳昇 畢昇"

#: Names, and words of other languages, that look traditional.
_KEPT = "王濛 素敵 魏徵 束脩"

#: 藉 read jí, or about a mat or comfort: 通用规范汉字表 keeps it there. `_BORROWED` are longer words in which it means
#: 借 nevertheless (色狼藉酒裝瘋).
_MATS = "慰藉 蘊藉 醞藉 狼藉 枕藉 藉藉 茵藉 藉草 藉槁 藉卉 藉田 凌藉 踐藉 蹈藉 躪藉"
_BORROWED = "狼藉酒 狼藉口 狼藉機 狼藉由 狼藉此 狼藉故 狼藉著"

#: 藉 written for 籍, which sounds alike. 美國藉 alone may be either, and is not in the list.
_ROLLS = (
    "國國藉 的國藉 重國藉 無國藉 棄國藉 入國藉 改國藉 麼國藉 哪國藉 換國藉 有國藉 個國藉 種國藉 得國藉 復國藉 銷國藉 "
    "雙國藉 拿國藉 問國藉 脫國藉 國藉是 國藉的 國藉法 國藉問題 國藉人 國藉身 國藉規 國藉登 國藉資 國藉認 國藉變 國藉證 "
    "國藉？ 國藉? 國藉， 國藉, 國藉。 國藉！ 國藉! 國藉嗎 國藉呢 國藉吧 國藉啊 祖藉 藉貫 戶藉 黨藉 學藉 書藉 省藉 "
    "外藉老師 外藉教授 外藉學生 外藉生 外藉員工 外藉球員 外藉教練 外藉同學 外藉朋友 外藉人 外藉兵 外藉的 "
    "國藉老師 國藉教授 國藉學生 國藉員工 國藉球員 國藉教練 國藉同學 國藉朋友 "
    "藉新娘 藉配偶 藉移工 藉洋將 藉男子 藉女子 藉人士 藉外勞 藉勞工 藉看護 藉幫傭 藉外配 藉旅客 藉船員 藉漁工 藉漁民 "
    "藉神父 藉傭兵 藉女傭 藉女星 藉男星 藉外援 藉華人 藉選手 藉投手 藉教師 藉球星"
)

#: 藉 read jiè after words that end like those above, and before what is borrowed.
_LENT = "客戶藉 用戶藉 住戶藉 同學藉 放學藉 數學藉 科學藉 文學藉 化學藉 教學藉 大學藉 此外藉 另外藉 國藉人權 國藉人道"
_LENDERS = "戶藉 黨藉 學藉 書藉 省藉"
_LOANS = (
    "由 此 著 着 口 機 故 以 助 酒 題 勢 這 那 其 他 她 力 選舉 公投 民意 民調 修法 罷免 媒體 網軍 疫情 國會 反對 反核 "
    "議題 政府 工作"
)

#: 瞭 read liào.
_LOOKOUTS = "瞭望 瞭哨 瞭敵"

#: 沈 read chén, to sink or heavy: 沉 in simplified text. Beside these verbs and adjectives it is not a name. Elsewhere
#: it stays: 沈 is a surname, and the 沈 of 沈陽.
_SUNK = (
    "沈了 沈著 沈着 沈到 沈入 沈在水 沈在海 沈在河 沈在湖 沈在江 沈在底 沈在池 沈在潭 沈在溪 沈在杯 沈在鍋 沈在碗 "
    "沈在瓶 沈在缸 沈在心 沈在泥 沈在沙 沈在土 沈在裡 沈在最 沈在下 沈在谷 沈在深 沈在夢 沈進去 沈進水 沈進海 "
    "沈進河 沈進湖 沈底 沈掉 沈嗎 沈吧 沈啦 沈下 沈沒 沈落 沈降 沈陷 沈積 沈澱 沈淪 沈浮 沈浸 沈迷 沈溺 沈湎 沈緬 "
    "沈醉 沈酣 沈睡 沈眠 沈思 沈吟 沈默 沈靜 沈寂 沈穩 沈潛 沈住 沈沈 沈重 沈甸 沈悶 沈痛 沈鬱 沈厚 沈濁 沈冤 沈疴 "
    "沈屍 沈船 沈艦 沈箱 沈錨 沈管 沈舟 沈香 沈渣 沈魚 沈不住 沈不下 沈不見 沈不了 沈得住 沈得很 沈得快 浮沈 載沈 "
    "深沈 低沈 陰沈 消沈 昏沈 暗沈 打沈 擊沈 撞沈 炸沈 弄沈 鑿沈 壓沈 船沈 西沈 永不沈 不會沈 不沈戰 沒沈 臉一沈 "
    "色一沈 心一沈 頭一沈 石沈大海 氣沈丹田 日沈西 月沈西 那麼沈 這麼沈 有點沈 有夠沈 非常沈 睡得沈 跌得沈 變得沈 "
    "顯得沈 墜得沈 麼沈的 會沈的 會沈嗎 會沈吧 會沈啊 會沈掉 要沈的 易沈的 快沈的 先沈的 全沈的 沈的船 沈的那艘 "
    "落日沈 星沈 珠沈 玉沈 雁沈 舟沈 沈李浮 沈滓"
)
_HEAVY = "下沈 很沈 好沈 太沈 更沈 超沈 較沈 越沈 愈沈 最沈 真沈 夠沈 滿沈 蠻沈"

#: 沈 as a surname where the list above would match: 老沈了解, 剛好沈老師在; and 小沈陽, an actor.
_SURNAMES = "老沈 小沈 阿沈 姓沈 沈姓 沈了解 沈了得 沈在寬 沈落雁 沈落燕"
_WRITERS = "沈著作 沈著有 沈著《"
_WHO = "沈到底"
_ASKED = "是 有 在 為 怎 會 要 想 能 多 哪 誰 什 甚 算 憑 說 做 幹 去 演 跟"
_TITLES = "先生 小姐 老師 太太 醫師 家 氏"

#: 畫 as to plan, to gesture, to mark off or to cut: 划 in simplified text. `_PAINTINGS` are exceptions where it is a
#: painting after 規 (法規畫) or 比 (比畫家).
_PLANS = (
    "規畫 企畫 策畫 謀畫 比畫 畫策 畫清界 畫歸 畫位 畫撥 畫分 畫時代 齊畫一 畫一標準 畫破長 畫破天 畫破夜 畫破黑 "
    "畫破寂 畫過天 畫過夜空 畫定界 畫定範 畫定區 畫火柴"
)
_PAINTINGS = (
    "法規畫 常規畫 正規畫 政策畫 設計畫 會計畫 統計畫 比畫家 比畫面 比畫圖 比畫畫 比畫質 比畫風 比畫工 比畫作 "
    "比畫展 比畫漫 比畫素 比畫人 比畫虎 比畫技 比畫功 畫分享 畫分鏡 畫分數 畫分析 漫畫時代 動畫時代 國畫時代"
)

#: Characters before 畫分 that show it is a painting: 漫畫分成三類.
_PAINTED = "漫 動 圖 國 書 名 版 幅 張 的"

#: Secretaries: OpenCC has a man's name, 李祕, that would match.
_SECRETARIES = "李祕書 吳祕書 袁祕書"

#: Words for which OpenCC has no phrase, or a wrong one. 刻画 笔画 勾画 are the forms of 第一批异形词整理表 (2001).
_PHRASES = {
    "神衹": "神祇",
    "什么麼": "什么么",  # not 幺麽
    "侏儸紀": "侏罗纪",
    "痲瘋": "麻风",
    "痳痺": "麻痹",  # 痳 for 痲; by itself it is 淋
    "痳瘋": "麻风",
    "痳疹": "麻疹",
    "徬晚": "傍晚",
    "刻劃": "刻画",
    "筆劃": "笔画",
    "勾劃": "勾画",
    "觔斗": "筋斗",
    "新彊": "新疆",
    "勞働": "劳动",
    "搆不": "够不",  # to reach; 搆 of 虛搆 is 构
    "搆得": "够得",
    "搆到": "够到",
    "搆著": "够着",
    "玻琍": "玻璃",  # 琍 and 瓈 of names stay
    "玻瓈": "玻璃",
    "甦活": "苏活",
    "英哩": "英里",
    "海哩": "海里",
    "鍊球": "链球",
    "腳鍊": "脚链",
    "狗鍊": "狗链",
    "車鍊": "车链",
    "宏碁": "宏碁",  # names of companies, and a title
    "明碁": "明碁",
    "建碁": "建碁",
    "冰菓": "冰菓",
    "氷菓": "冰菓",
    "甚麼": "什么",
    "甚麽": "什么",
    "藉甚麼": "借什么",
    "徐巿": "徐巿",  # fú
    "摃龜": "杠龟",  # 摃 for 槓
    "摃上": "杠上",
    "摃桿": "杠杆",
    "摃鈴": "杠铃",
    "單摃": "单杠",
    "雙摃": "双杠",
    "抬摃": "抬杠",
    "鎔爐": "熔炉",  # 鎔 of names is 镕
    "鎔化": "熔化",
    "鎔岩": "熔岩",
    "鎔漿": "熔浆",
    "鎔鑄": "熔铸",
    "鎔解": "熔解",
    "鎔接": "熔接",
    "鎔點": "熔点",
    "鎔融": "熔融",
    "鎔合": "熔合",
}


def corrections(table: Mapping[str, str]) -> dict[str, str]:
    """Return the lists as entries for a table. Characters that a list does not name are converted as in the table."""
    singles = dict(table) | _CHARACTERS
    sunk = [*_SUNK.split(), *_HEAVY.split()]
    sunk += [f"{word}沈" for word in sunk if word.endswith("沈")]  # 昏昏沈沈

    def spell(words: str, **special: str) -> dict[str, str]:
        return {word: "".join(special.get(c, singles.get(c, c)) for c in word) for word in words.split()}

    return (
        _CHARACTERS
        | {key: value.replace("幺", "么") for key, value in table.items() if len(key) == 2 and key[1] == "么"}
        | spell(_ENDINGS)
        | spell(_WRITTEN, 著="著")
        | spell(_combined(_AUTHORS, "著有"), 著="著")
        | spell(_AT)
        | spell(_YOUNGEST, 么="幺")
        | spell(_GODS, 祇="祇")
        | spell(_MATS, 藉="藉")
        | spell(_BORROWED)
        | spell(_ROLLS, 藉="籍")
        | spell(_LENT)
        | spell(_combined(_LENDERS, _LOANS))
        | spell(_LOOKOUTS, 瞭="瞭")
        | spell(" ".join(sunk), 沈="沉")
        | spell(_SURNAMES)
        | spell(_WRITERS, 著="著")
        | spell(_combined(_HEAVY, _TITLES))
        | spell(_combined(_WHO, _ASKED))
        | spell(_PLANS, 畫="划")
        | spell(_PAINTINGS)
        | spell(_combined(_PAINTED, "畫分"))
        | spell(_SECRETARIES)
        | spell(_NAMES, 昇="昇")
        | {word: word for word in _KEPT.split()}
        | _PHRASES
    )


def _combined(heads: str, tails: str) -> str:
    return " ".join(head + tail for head in heads.split() for tail in tails.split())
