"""Find the Japanese in a turn. Its kanji look traditional but stay (東京へ行きます); Chinese next to it is converted.

Chinese and Japanese share most characters, so the decision depends on what only one of the two writes:

- Chinese: characters that JIS X 0208, Japan's character set, lacks (妳 哪 啥); characters that Japan simplified
  (常用漢字表, 2010, has 歓 for 歡); pronouns and function words (很 是 過的), and common words (昨天);
- Japanese: forms simplified only in Japan (駅 気), characters made in Japan (込 働), and the kana around Han.

The lists leave out words that the other language has too (我が家, 誰か, 個人, 論理的な), and old forms that Japanese
names keep (龍 澤 櫻, 渡邊).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from chat_corpus.pipeline.script.kana import HEADS, KANA, MADE_IN_JAPAN

#: Old forms of characters that Japan simplified: those that both OpenCC's table JPShinjitaiCharacters and JIS X 0208
#: have, except OLD_IN_NAMES.
OLD = (
    "乘亂來傳僞價儉兔兩冰剩劍劑勞勵勸區卷卻參咒單嚴囑圈圍圖團墮壓壘壞壤壹奬妝孃學寢實寫寬將專對屆屬峽帶廁廢廳彈彎徑從"
    "惡惱慘應懷戀戰戲拂拔拜挾插搖搜擇擔據擧擴攪收效敘數斷晝會棧樂樓樞樣橫檢權歐歡歸殘殼毆氣沒淨滯滿潛澀澁濕濟濾灣燒營"
    "爐爭牀犧狹獎獨獵獸獻瓣甁畫當疊癡發盜盡碎祕禦禪禮稱穩竈竊竝粹經綠緖縣縱總繩繪繼續纔纖缺罐羣聯聲聽肅脣腦膽臟臺舉舊"
    "舍莖藝藥處號蟲蠶蠻衞裝襃覺覽觀觸謠證譯讀變讓豫貳賣贊踐輕輛轉辨辭辯遙遞遲鄕鄰醉醫釀釋鋪錢鐵鑄鑛關陷隨險隱雙雜霸靈"
    "顏顯飜餘餠騷驅驗驛髓體髮鬥麥麪黑默點黨齒齡龜"
)

#: Old forms that Japanese names and titles keep, or that Chinese text uses in such names (櫻井, 東條, 螢の墓).
OLD_IN_NAMES = (
    "亙亞佛假兒凛勳國圓堯填增壯壽奧寶峯嶽巖廣彌德恆悅惠愼攝敍敕晄晉曉曾枡條榮槇檜櫻淺溪澤濤濱瀧瀨燈爲皋眞礪祿禰稻穎穗"
    "穰絲聰與艷莊萠萬薰藏蘆螢譽豐賴邊郞鎭靜鷄鹽齊齋龍"
)

_KANA = re.compile(KANA)
_RUN = re.compile(r"[ぁ-ゖァ-ヺー々〆一-鿿㐀-䶿0-9]+")
_TITLE = re.compile(r"(?<=[「『《〈])[一-鿿ぁ-ゖァ-ヺー々]*の[一-鿿]+(?=[」』》〉])")
_HAN = re.compile(r"[々〆一-鿿㐀-䶿0-9]+")

#: What follows the stem of a Japanese verb or adjective, or makes a noun a predicate: 頑張る 愛してる 飛べない 誰だ.
_ENDING = (
    "(?:[えけせてねめれべげいきしちにみりびぎ]?[るうくすつむぶぬぐ](?:[のよねなかとわぞさ]{0,2}(?![ぁ-ゖ])|[がはをにでも])"
    "|[ぁ-ゖ]{0,2}?(?:[っいしりきちえけせれべめ]て|った|した|いた|んだ|んで|えた|けた|れた|べた|めた|ない|なか|なけ|ます|まし"
    "|ませ|られ|よう|ろう)|[おこごそとのぼも]う(?![ぁ-ゖ])"
    "|[れべけせめえげてねいしりみちきびぎらだ][よねなの]?(?![ぁ-ゖ])|です|でし|だ[よねっろ]|じゃ|かっ|くて|くな|しい|たち)"
)
_OKURIGANA = re.compile(_ENDING)

#: Marks of a Japanese sentence. If a text or a run has one and nothing Chinese, all of it is Japanese: 頑張れ日本,
#: 櫻井翔と相葉雅紀.
_SENTENCE = re.compile(
    f"[一-鿿々]{_ENDING}|[一-鿿々ァ-ヺー](?:[はがをにへとも]|では|には|から|まで|より|での|との)[一-鿿]|[一-鿿][はが](?![ぁ-ゖ])"
    f"|[ぁ-ゖァ-ヺー]の[一-鿿]|の[一-鿿]{{1,4}}[ぁ-ねは-ゖ]|(?<![一-鿿]){HEADS}の[一-鿿]{{1,4}}(?![一-鿿])"
    "|[一-鿿]な[一-鿿ァ-ヺ]|[ぁ-ねは-ゖ][^ぁ-ゖ\\W]+[ぁ-ねは-ゖ]|を|です|ます|まし[たて]|ません|ください"
    "|(?:ない|いる|ある|する|された|される|した)(?![ぁ-ゖ])"
)
_JAPANESE = re.compile(f"[{MADE_IN_JAPAN}]")

#: What only Chinese writes, in both scripts. A run is searched as a whole, because the kana next to a word matter.
_CHINESE = re.compile(
    "有沒有|沒有|[你妳您欸這们麼沒她它牠跟讓让很做另爸爹爷奶哥咗嘢啲佢喺冇]"
    f"|[{OLD}絕鄉歷擊貓雞緣歲隻狀淚衛擾]|廣(?=[告場播東泛州大])|增(?=[加])"
    "|國(?=[家內人外民立])|(?<=[中美韓英法德外全各泰])國|(?<![渡田川池])邊"
    # Pronouns and function words, except inside Japanese words.
    "|(?<![自無忘彼没])我(?![がらは々れ等慢流侭儘執孫])|(?<![排利])他(?=[們的是說说在很也有就都會])"
    "|(?<![国國社頑必彼如])是(?![非正認认枝清が])"
    "|(?<![存現所不自健滞実潜駐介混散偏点内常遍])在(?![日宅庫籍来住学位任京留])"
    "|(?<![完終修未魅校満読結議投])了(?![解承見然以])"
    "|[買吃去聽說玩想走愛用]過|看過(?![でしすさせ])|過的"
    "|不(?:是|好|想|到|了|太|喜|錯|懂|住|起|去|過)|有[沒的點誰]|想(?:要|看|到|去|吃|買|問|睡|哭|死)"
    "|(?<![必重主需概摘綱所肝法不])要(?:去|看|買|吃|不|是|怎|跟|等|到|有|死)"
    "|就(?:是|好|要|有|在|算|像|不|能|連|只|去|可)|都(?:是|不|要|好|可|能|想|去|看)|也(?=[是不有要可都在太想好只就])|[先你就都]別"
    "|還(?=[是有要在不好可能想蠻])|给|[嫁送交借寄還分留]給|給(?=[他我大人])|誰(?=[是的在想有要知])|那(?=[個些樣種裡時天年是])"
    "|把(?!握)|被(?=[人他我打騙抓換])|去(?=[看吃買找玩])|叫(?:做|作|我|他)|名叫|超(?:好|可|級|想|帥|正|多|喜|愛)"
    "|[幾每哪]個|一個(?![人のをが])|姐(?!さん|御|ご)"
    "|好(?:看|聽|吃|玩|笑|像|多|想|可|帥|難|棒|用|不|吵|正|爽|久|愛)"
    "|看[完到了著着起]|剛(?=[剛才看到吃買好])|昨天|今天|明天|每天|後天|電影|電視|手機|導演|演員|影片|女生|男生|女孩|男孩|朋友|網[友路站]|漂亮|知道|可以"
    "|真的|已經|因為|但是|可是|如果|雖然|或者|時候|一[下樣起直]|怎|為[何什]|什|謝謝|谢谢|請問|八卦|卦"
    "|[吃喝找玩叫看穿搭唱](?=[ァ-ヺ])|(?<![輸放配郵発運返転電])送(?=[ァ-ヺ])|(?<![過撤除消死退])去(?=[ァ-ヺ])|(?<![売購])買(?=[ァ-ヺ])"
    "|(?<![周殺])到(?=[ぁ-ゖァ-ヺ])|(?<![共所保含特私国公固専占領既未])有(?=[ァ-ヺ])|或(?![るい])|與(?![謝那])|到爆|到底"
    "|肥宅|一堆|妹[妹子]|然後|早餐|早就|直播|肚子|有多|女友|捷運|難道|[這一]輩子|出去|而且|只[有能是要好會想]|記得|靠[北邀杯]|拜託"
    "|得(?=[很更太超好])|裡(?=[面的有])"
    "|[看聽遇]見|發現|成為|變成|[個這]月|大家(?![さのがは])|老師|公司|飛機|機車|冷氣|房間|禮[拜物]|(?<!誕)生日|開心|難過|生氣|討厭|麻煩|加油|[早晚]安"
    "|中華隊|長得|[好很最不就真超得]像|[過好愛麗紅小新多少帥強買看去到友亮演唱寫說講拍做玩穿]的|(?<=[ぁ-ゖ])的(?=[一-鿿])|(?<!国)家的"
)

#: More signs of Chinese, for texts that have one of those above: 的 before a name or a word in kana, but not 論理的な.
_LIKELY = re.compile("的(?=[ァ-ヺ])|的(?![なにだでとはがをもの])(?=[ぁ-ゖ]{2})")

#: Characters of modern Japanese that JIS X 0208 lacks, or has in a different form.
_LACKING = frozenset("塡剝頰噓摑搔繡醬鷗嚙囊")

#: Particles that Chinese does not use, and the maximum length of a name that they link.
_LINK = re.compile("[はがをとへに]")
_LINKED = re.compile("[はがをとへに][一-鿿]")
_NAME = 5

#: Chinese verbs: kana after them are a name, not an ending.
_TAKEN = "買找玩叫"

#: Particles, which link the Han after them to the text before.
_PARTICLE = re.compile("の|と|を|が|は|に|へ|で|も|や|から|まで|より|への|での|との")


def around_japanese(text: str, convert: Callable[[str], str]) -> str:
    """Convert a text, except for its Japanese.

    A text with a Japanese sentence and nothing Chinese stays as it is. In other texts, each title in brackets with の
    is checked as a whole. In each run of Han and kana, the characters of each piece of Han and the kana next to it
    decide (`_pieces`).

    >>> around_japanese("東京へ行きます", lambda text: text.replace("東", "东"))
    '東京へ行きます'
    >>> around_japanese("我愛東京！愛してるよ", lambda text: text.replace("愛", "爱").replace("東", "东"))
    '我爱东京！愛してるよ'
    """
    result = []
    done = 0
    for start, end in _kept(text):
        result += [convert(text[done:start]), text[start:end]]
        done = end
    return "".join(result) + convert(text[done:])


def _kept(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each Japanese part of a text."""
    chinese = bool(_chinese(text))
    if not chinese and _SENTENCE.search(text):
        yield 0, len(text)
        return
    titles = {title.span() for title in _TITLE.finditer(text)}
    for run in _RUN.finditer(text):
        if run.span() in titles and not _chinese(run[0]):
            yield run.span()
        elif _KANA.search(run[0]):
            signs = _chinese(run[0])
            if chinese:
                signs |= {sign.start() for sign in _LIKELY.finditer(run[0])}
            for start, end in _pieces(run[0], signs):
                yield run.start() + start, run.start() + end


def _pieces(run: str, signs: set[int]) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of the Japanese pieces of Han in a run; `signs` are positions of what is Chinese.

    A run with a Japanese sentence and nothing Chinese is Japanese. In other runs, a piece of Han with something Chinese
    is Chinese, except for a verb stem at its end (都說頑張って), a name that a particle links to other Han
    (知道櫻井翔と相葉雅紀嗎), and an end with a character that only Japanese has. A piece with nothing Chinese is
    Japanese if it has such a character, if kana follow it (東京タワー), or if it ends the run and a particle comes
    before it (千と千尋). Otherwise it belongs to the Chinese (みゆき結婚, コナン劇場版).
    """
    if not signs and _SENTENCE.search(run):
        yield 0, len(run)
        return
    done = 0
    for piece in _HAN.finditer(run):
        start, end = piece.span()
        before, done = run[done:start], end
        own = signs.intersection(range(start, end))
        if not own:
            if end < len(run) or _PARTICLE.fullmatch(before) or _JAPANESE.search(piece[0]):
                yield start, end
            continue
        first, last = min(own), max(own) + 1
        if _LINK.fullmatch(before) and start and first - start <= _NAME:
            yield start, first
        if _LINKED.match(run, end) and end - last <= _NAME:
            yield last, end
        elif _OKURIGANA.match(run, end) and run[end - 1] not in _TAKEN:
            yield max(last, end - 2), end
        elif _JAPANESE.search(run, last, end):
            yield last, end


def _chinese(text: str) -> set[int]:
    """Return the positions of what only Chinese writes."""
    chinese_only = {place for place, character in enumerate(text) if not _of_japan(character)}
    return chinese_only.union(*(range(*sign.span()) for sign in _CHINESE.finditer(text)))


@lru_cache(maxsize=4096)
def _of_japan(character: str) -> bool:
    """Return whether a character is not Han, or is one that Japan's standard JIS X 0208 has."""
    if not "㐀" <= character <= "鿿" or character in _LACKING:
        return True
    try:
        character.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True
