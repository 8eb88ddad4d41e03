"""Find numbers and addresses by which a person can be reached or identified, and replace them by placeholders.

Kinds: mobile number, identity card, QQ, WeChat and e-mail, as they are written in mainland China. Only the number or
address is replaced; the words around it stay: 加我QQ：<QQ>. Other numbers stay as they are: prices, dates, order
numbers, hotlines. A QQ or WeChat account is recognized by the word next to it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import partial

import polars as pl

from chat_corpus.row_masks import matches


class Personal(StrEnum):
    """Kinds of personal data, by their names in counts; the placeholder is the kind in upper case: <PHONE>."""

    PHONE = "phone"
    QQ = "qq"
    WECHAT = "wechat"
    EMAIL = "email"
    ID = "id"


_ALL = frozenset(Personal)
#: A cheap regex that matches every text with personal data, and few others. There may be any number of blanks between
#: a word and its number, as in the detectors.
CANDIDATE = "|".join(
    (
        r"1[3-9][0-9](?:[ -]?[0-9]{4}[ -]?[0-9]{4}|[0-9]{2}[ -][0-9]{6}|[ -][0-9]{3}[ -][0-9]{5})",
        r"[0-9]{6}[ -]?(?:18|19|20)[0-9]{6}[ -]?[0-9]{3}",
        r"[0-9A-Za-z_.%+-][@＠][0-9A-Za-z]",
        r"(?:[Qq群]|扣扣|企鹅)(?:\s*[^0-9\s]){0,12}\s*[1-9][0-9]{4}",
        r"[0-9]{6}(?:\s*[^0-9\s]){0,6}\s*(?:[Qq]{2}|扣扣|群)",
        r"(?:[微薇威维vV][ .-]?信|[vVwW][xX]|(?i:we-?chat|weixin))(?:\s*[^0-9A-Za-z\s]){0,16}\s*[0-9A-Za-z]",
    )
)
#: No unit or noun follows that makes the number a quantity or a term.
_UNIT = r"(?!\s*(?:[人元块万亿个年月级次条位岁天分点多名篇张台件股米]|用户|粉丝|[kKMGT]B?(?![A-Za-z])|[%％℃]))"
_END = r"(?![0-9])(?!\.[0-9])(?!\s*[+*/=×÷]\s*[0-9])" + _UNIT

#: A mobile number: 11 digits, in one of the usual groupings, with or without the country prefix.
_PHONE = (
    # Not in a longer number, a word (A13…), a decimal (3.13…) or a URL (/13…, =13…), and not after a currency sign.
    r"(?a)(?<![0-9A-Za-z_$¥￥#=])(?<![0-9]\.)(?<![A-Za-z]/)(?<![0-9]-)"
    r"(?P<prefix>(?:(?:\+|00)86|86)[ -]?)?"
    r"1[3-9][0-9](?:[ -]?[0-9]{4}[ -]?[0-9]{4}|[0-9]{2}[ -][0-9]{6}|[ -][0-9]{3}[ -][0-9]{5})"
    r"(?!-?[0-9A-Za-z_])(?!\.[0-9])" + _UNIT
)
#: Words right before an 11-digit number that make it an order number, serial number or the like.
_THING = (
    r"(?:订单|单号|运单|快递|流水|编号|工单|货号|条码|型号|序列|批号|案号|票号|订单号|编码|ISBN|SKU|ID|id|No\.?|NO\.?)"
    r"(?:号码?)?\s*(?:是|为|[:：#])?\s*$"
)
_ID = r"(?<![0-9A-Za-z_.])[1-9][0-9]{5}[ -]?(?P<date>(?:18|19|20)[0-9]{6})[ -]?[0-9]{3}[0-9Xx](?![0-9A-Za-z_])"
_EMAIL = (
    r"(?a)(?<![A-Za-z0-9._%+-])(?!git@)[A-Za-z0-9_][A-Za-z0-9._%+-]{0,63}[@＠]"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?!(?:png|jpe?g|gif|webp|svg)\b)[A-Za-z]{2,24}(?![A-Za-z0-9-])"
)
#: Text that may come between the word and the number: 号码是, a colon, spaces.
_LINK = r"(?:(?:交流|粉丝|讨论|官方)?[群裙]?-?(?:帐号|账号|号码|号)?吧?\s*(?:是|为|加|[:：=])?\s*[(（【\[]?\s*)"
_MORE = r"(?P<more>(?:\s*(?:或者?|和|[、,，/;；])\s*[1-9][0-9]{5,10}(?![0-9]))*)"
_QQ = (
    r"(?P<word>(?:(?<![A-Za-z])[Qq]{2}|扣扣|企鹅号?|(?<![A-Za-z])[Qq](?=[群裙号])|(?<=加)我?[Qq](?![A-Za-z])"
    r"|[加进入](?:这个|我们|本|我的|我)?(?=群)|群(?=号))" + _LINK + r")"
    r"(?P<number>[1-9][0-9]{4,10})" + _END + r"(?!版|[-.年][0-9])" + _MORE
)
#: `Q:` before a number that is so long that it does not begin a question.
_Q_COLON = r"(?P<word>(?<![A-Za-z0-9])[Qq][:：]\s*)(?P<number>[1-9][0-9]{6,10})" + _END + _MORE
_QQ_BEHIND = (
    r"(?<![0-9A-Za-z.-])(?P<number>[1-9][0-9]{5,10})"
    r"(?P<word>\s*(?:[(（]|是我的?|我的|这个)\s*(?:[Qq]{2}|扣扣)(?![A-Za-z0-9]))"
)
#: The number of a QQ group, right next to the word 群: too long for a year or a count, and not a date.
_GROUP_NUMBER = r"(?P<number>(?!(?:19|20)[0-9]{2}[01][0-9][0-3][0-9](?![0-9]))[1-9][0-9]{6,9})"
#: Context that would make the number a count: _CROWD excludes words for groups of people, animals, buildings or
#: computers, and _COUNTED excludes units after the number.
_CROWD = r"(?<![人种物机集羊牛狼族楼筑博语墓这那一两几])"
_COUNTED = r"(?!\s*(?:[只头匹尾]|平方|公[里顷斤]|小时|美[元金]|左右|以[上下]|阅读|[A-Za-z]))"
_GROUP = rf"(?P<word>{_CROWD}群\s*[,，:：]?\s*)" + _GROUP_NUMBER + _END + _COUNTED + _MORE
_GROUP_BEHIND = r"(?<![0-9A-Za-z.-])" + _GROUP_NUMBER + r"(?P<word>\s*这个?群(?![体众落岛人山]))"
_WORDS = (
    r"(?:[微薇威维][ .-]?信|(?<![A-Za-z])[vV][ .-]?信"
    r"|(?<![A-Za-z0-9])(?:[vV][xX]|[wW][xX]|(?i:we-?chat|weixin))(?![A-Za-z]))"
)
_NAME = r"(?![Xx]{3})[A-Za-z][A-Za-z0-9_-]{5,19}(?![A-Za-z0-9_@.-])"
_WECHAT = (
    r"(?P<word>"
    + _WORDS
    + r"(?P<link>"
    + _LINK
    + r"))(?P<number>(?:\+?86[ -]?)?1[3-9][0-9]{9}(?![0-9])|[1-9][0-9]{5,10}"
    + _END
    + r"|"
    + _NAME
    + r")"
)
#: Names after the word 微信 that are not accounts of a person.
_PRODUCTS = frozenset(
    (
        *("android", "iphone", "windows", "symbian", "blackberry", "harmony", "harmonyos"),
        *("wechat", "weixin", "tencent", "google", "facebook", "twitter", "whatsapp", "telegram"),
        *("download", "version", "official", "server", "client", "desktop", "python", "javascript"),
    )
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def is_identity_number(text: str) -> bool:
    """Whether 18 characters are a Chinese identity number: a valid date of birth and check digit (GB 11643).

    >>> is_identity_number("11010519491231002X"), is_identity_number("110105194912310021")
    (True, False)
    """
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text, _WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == text[17].upper()


def candidates(texts: pl.Series) -> pl.Series:
    """Return a mask of the texts that may have personal data: all that have some, and few others."""
    return matches(texts, CANDIDATE)


def first_found(texts: pl.Series, kind: Personal) -> pl.Series:
    """Return the first number or address of a kind in each text, with the word before it; null if there is none.

    >>> first_found(pl.Series(["加我QQ：123456789", "打10086", None]), Personal.QQ).to_list()
    ['QQ：123456789', None, None]
    """
    possible = candidates(texts).arg_true()
    found = pl.Series([first_in(text, kind) for text in texts[possible]], dtype=pl.String)
    return pl.Series(texts.name, [None], dtype=pl.String).new_from_index(0, len(texts)).scatter(possible, found)


def first_in(text: str, kind: Personal) -> str | None:
    """Return the first number or address of a kind in a text, with the word before it; None if there is none."""
    for detector in _DETECTORS:
        found = re.finditer(detector.pattern, text) if detector.kind is kind else ()
        for one in found:
            if not detector.rejects(one):
                return one[0]
    return None


def mask_kinds(text: str, kinds: Collection[str], counts: Counter[str]) -> str:
    """Return a text with placeholders for some kinds; add the number of replacements by kind to `counts`."""
    if not re.search(CANDIDATE, text):
        return text
    for detector in _DETECTORS:
        if detector.kind in kinds:
            text = re.sub(detector.pattern, partial(_replaced, detector=detector, counts=counts), text)
    return text


def mask(texts: pl.Series) -> tuple[pl.Series, Counter[str]]:
    """Return texts with a placeholder for each number or address, and the number of replacements by `Personal` kind.

    >>> masked, counts = mask(pl.Series(["加我QQ：123456789", "打10086", None]))
    >>> masked.to_list(), dict(counts)
    (['加我QQ：<QQ>', '打10086', None], {'qq': 1})
    """
    counts: Counter[str] = Counter()
    possible = candidates(texts).arg_true()
    if not len(possible):
        return texts, counts
    before = texts[possible]
    after = pl.Series([mask_text(text, counts) for text in before], dtype=pl.String)
    changed = after != before
    return texts.clone().scatter(possible.filter(changed), after.filter(changed)), counts


def mask_text(text: str, counts: Counter[str]) -> str:
    """Return a text with placeholders for all kinds; add the number of replacements by kind to `counts`."""
    return mask_kinds(text, _ALL, counts)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Detector:
    """A pattern for one kind, which `re` compiles on first use.

    `rejects` returns whether a match is a false positive. A placeholder replaces the group `number` and each number in
    the group `more`; without a group `number`, it replaces the whole match.
    """

    kind: Personal
    pattern: str
    rejects: Callable[[re.Match[str]], bool] = lambda _found: False


def _replaced(found: re.Match[str], *, detector: _Detector, counts: Counter[str]) -> str:
    """Return the text of a match with placeholders for its numbers."""
    if detector.rejects(found):
        return found[0]
    groups = found.re.groupindex
    placeholder = f"<{detector.kind.upper()}>"
    counts[str(detector.kind)] += 1
    if "number" not in groups:
        return placeholder
    start, end = (at - found.start() for at in found.span("number"))
    more, further = found["more"] if "more" in groups else "", 0
    if more:
        more, further = re.subn(r"[0-9]+", placeholder, more)
        counts[str(detector.kind)] += further
        return found[0][:start] + placeholder + more
    return found[0][:start] + placeholder + found[0][end:]


def _is_thing(found: re.Match[str]) -> bool:
    return re.search(_THING, found.string[: found.start()]) is not None


def _is_not_identity(found: re.Match[str]) -> bool:
    return not is_identity_number(re.sub("[ -]", "", found[0]))


def _is_product(found: re.Match[str]) -> bool:
    """Whether the name after the word 微信 is a product, or a plain word without 号, a colon or the like before it."""
    name = found["number"]
    if not name[0].isalpha():
        return False
    is_linked = bool(found["link"].strip())
    return name.lower() in _PRODUCTS or (not is_linked and not re.search("[0-9_]", name))


#: The order matters: e-mail addresses and identity numbers may contain a mobile number, and a mobile number may be the
#: name of an account.
_DETECTORS = (
    _Detector(kind=Personal.EMAIL, pattern=_EMAIL),
    _Detector(kind=Personal.ID, pattern=_ID, rejects=_is_not_identity),
    _Detector(kind=Personal.WECHAT, pattern=_WECHAT, rejects=_is_product),
    _Detector(kind=Personal.QQ, pattern=_QQ),
    _Detector(kind=Personal.QQ, pattern=_Q_COLON),
    _Detector(kind=Personal.QQ, pattern=_QQ_BEHIND),
    _Detector(kind=Personal.QQ, pattern=_GROUP),
    _Detector(kind=Personal.QQ, pattern=_GROUP_BEHIND),
    _Detector(kind=Personal.PHONE, pattern=_PHONE, rejects=_is_thing),
)
