"""What a forum's software wrote into a post: whom it answers, and the device or client that it was sent from."""

from __future__ import annotations

import re

import polars as pl

_NAME = r"[^\s:：<>]{1,20}"
# An author's own words before 回复: 我回复, 请回复, 怎么回复. The software writes none there, or the end of a post.
_OWN = "我你您他她它们请可能会要想不没来再接敢就都也去给的已未快如何等先后谁人家主"
# What is answered, but nobody's name.
_NO_NAME = (
    "如下|内容|时间|日期|说道?|称|曰|道|人|者|率|数量?|量|速度|格式|方式|对象|地址|邮箱|数字|一下|[我你他她]|\\d{1,3}"
)
# `回复 name ：` as the software writes it; a colon that begins a smiley is none.
_ADDRESSED = rf"回[复復覆](?: @?|@)(?!(?:{_NO_NAME}) ?[：:]){_NAME} ?[：:](?![)）]|//|[DPpOo](?![A-Za-z0-9])) ?"
# How words begin that follow 回复 in a sentence; and what follows a word that one should send: 回复 666 领取.
_WORDS = (
    "(?:一[下个条句楼些]|[是的了得着过我你您他她它这那哪没别就都也还要会能可请谢怎什为很吧啊呢吗么嘛给让把被跟或慢率]"
    "|不[要会是能用行好了知懂过可再]|有[没人点些的奖]|太[多少快慢]|好[的了吧快慢多]|快[点些]|前[面天]|后[面来就]"
    "|时[候间]|里面|中的|以[后前]|和[你我他]|与[你我他]|用[户不]|[几某每]个|各位|全[部都]|所有|大家|们|回复|完[了成]"
    "|[此该][贴帖楼]|数[量字据]|[数多少]的|楼[主上下]|[层吧版群]主|LZ|lz|内容|日期|邮件|消息|[帖贴]子?(?= )|评论|短信"
    "|信息|速度|需要|必[须看]|即可|看见|问题|关键|密码|邮箱|暗号|收藏|转发|区(?= )|[Qq][Qq]|[Ee]-?mail)"
)
_THEN = "(?:即可|就[能可会行送]|[可能]以?[获领看得下]|可以|获取|获得|领[取走]|查看|查询|退订|下载|送|有奖)"
_LATIN = "[A-Za-z]{1,3}"
# `回复 name ` without a colon.
_NAMED = (
    rf"回[复復覆](?:(?: @|@){_NAME}| (?!{_WORDS}|(?:{_LATIN}|\d{{1,4}}|\d+楼) )"
    rf"[^\s:：<>,，.。!！?？;；、…《》“”\"'()（）]{{2,20}}) (?!{_THEN})(?=[^\s:：])"
)
_AT_THE_START = re.compile(rf"(?:{_ADDRESSED}|{_NAMED})+")
_IN_MID_TURN = re.compile(rf"(?<![{_OWN}])(?<![{_OWN}] ) ?(?:{_ADDRESSED})+")

# The system in the name of a client.
_SYSTEM = (
    "(?:安卓|Android|iPhone|iPad|iOS|苹果|Windows ?(?:Phone|8|10)|WP ?(?:7|8|10)?|塞班|Symbian|S60|Java|BlackBerry|"
    "黑莓|手机|电脑|PC|平板|触屏版?)"
)
_FORUM = "(?:手机|掌上|百度|爱|i|wap) ?贴吧"
_CLIENT = rf"(?:(?:(?:{_FORUM}|贴吧)? ?(?:{_SYSTEM}版? ?)?客户端)|{_FORUM}|(?:掌上|手机) ?百度)"
# What comes after the name of a device, with a number or a word of a series in it: Note 2, 5s Plus, X＋1, 青春版. A
# maker alone is a company, that something may be from.
_MODEL = (
    r"(?:[ A-Za-z+＋._/\-]{0,12}(?:[0-9]|手机|平板|畅玩|青春|旗舰|标准|Note|Max|Mate|Plus|Pro)"
    r"(?:[ A-Za-z0-9+＋._/\-]|手机|平板|[联移电][通动信]|全网通|版){0,20})"
)
_DEVICE = (
    rf"(?:(?:iPhone|iPad|iPod|Lumia|Android|安卓|BlackBerry|黑莓|Galaxy|Nexus|Xperia|Windows ?Phone|WP[78]){_MODEL}?"
    "|(?:诺基亚|小米|红米|华为|荣耀|三星|索尼|联想|酷派|中兴|努比亚|一加|锤子|坚果|乐视|金立|步步高|魅族|魅蓝|摩托罗拉|"
    "天语|海信|华硕|苹果|360|HTC|OPPO|vivo|LG|HUAWEI|Xiaomi|Redmi|Honor|Meizu|ZTE|Samsung|Sony|Lenovo|Coolpad|OnePlus|"
    rf"Smartisan|Gionee|Nubia|Moto(?:rola)?|Nokia|MI |realme|iQOO|Pixel){_MODEL}"
    "|(?-i:[A-Z]{2,5}-[A-Z]{0,4}[0-9]{2,5}[A-Z]?))"
)
_DASH = "[-—–―─━－]"
_SAYS = "(?:来自|发自)[:：]? ?"
# What people have the client put before the name of their device.
_OWNER = r"[^\s,，。!！?？;；:：、《》<>“”\x22「」『』()（）【】…—\-]{0,20}"
# The client of a newspaper is what a quotation may be from.
_ANY_CLIENT = r"[A-Za-z0-9.\u4E00-\u9FFF]{0,12}[^闻报讯视\s] ?客户端"
_SIGNATURE = (
    rf"(?:{_DASH}+ ?{_SAYS}(?:{_CLIENT}|{_ANY_CLIENT}|{_OWNER} ?{_DEVICE})|{_DASH}{{2,}} ?{_SAYS}"
    rf"|[(（\[【]?(?:本[帖贴])?{_SAYS}{_CLIENT}[)）\]】]?|发自[:：]? ?(?:我的)? ?{_DEVICE}|sent from my {_DEVICE})"
)
# Hyphens, which no author of Chinese writes for a dash, need nothing before them.
_SIGNED = re.compile(
    rf"(?:(?<![ \u3000])[ \u3000]+|(^|[。！？!?…~～.)）」』”])){_SIGNATURE}(?: *{_SIGNATURE})* *$"
    rf"|(?<!-)--+ ?{_SAYS}(?:{_CLIENT}|{_DEVICE}) *$",
    re.IGNORECASE | re.MULTILINE,
)
# What most sentences with 来自 do not have, and is found sooner.
_AT_THE_END = re.compile(r"(?:来自|发自|[Ff][Rr][Oo][Mm] [Mm][Yy])[^\n]{0,64}$", re.MULTILINE)

#: A text that a step changes matches the step's gate.
GATES = {"replies": "回[复復覆][ @]", "signatures": r"[来发]自|(?-u:(?i:ent from my))"}


def strip_replies(text: pl.Expr, *, placeholder: bool = False) -> pl.Expr:
    """Remove `回复 name ：`, which the software writes, and at the start of a post `回复 name ` too.

    It needs the blank (or `@`) that the software writes, so that 回复率：九成 stays; in mid-turn, where two posts were
    joined, a blank is left. What may be a sentence stays: 回复 是什么意思 啊, 我回复 他：好. With `placeholder` the
    name becomes `<USER>`.

    >>> pl.select(strip_replies(pl.lit("回复 小明 ：是吗回复 user01 :是的"))).item()
    '是吗 是的'
    >>> pl.select(strip_replies(pl.lit("回复 小明2015 别说了"))).item()
    '别说了'
    """

    def strip(post: str) -> str:
        start = _AT_THE_START.match(post)
        written = start[0] if start else ""
        sign = ("：" if written.rstrip().endswith((":", "：")) else " ") if written else ""
        begin = f"回复 <USER>{sign}" if placeholder and written else ""
        return begin + _IN_MID_TURN.sub(" 回复 <USER>：" if placeholder else " ", post[len(written) :])

    return text.map_elements(strip, return_dtype=pl.String)


def strip_signatures(text: pl.Expr, *, placeholder: bool = False) -> pl.Expr:
    """Remove the device or client that a post was sent from, at the end of a line: `——来自 小米 Note 2`.

    It begins the line, or comes after a blank or the end of a sentence; without a dash only what a client writes counts
    (`来自手机贴吧`). Whatever else is from somewhere is an author's: ——来自《红楼梦》, 最大的压力——来自华为. With
    `placeholder` it becomes `<CLIENT>`.

    >>> pl.select(strip_signatures(pl.lit("说得在理 ——来自 小米 Note 2"))).item()
    '说得在理'
    """
    left = r"\1<CLIENT>" if placeholder else r"\1"

    def strip(post: str) -> str:
        return _SIGNED.sub(left, post) if _AT_THE_END.search(post) else post

    return text.map_elements(strip, return_dtype=pl.String)
