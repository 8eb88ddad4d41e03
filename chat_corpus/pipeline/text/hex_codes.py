"""Codes and addresses: text in which each letter counts, so that a run of one letter in it is no emphasis.

What is repeated in these patterns can match in one way only, and each begins where a word begins, so that a text takes
time in proportion.
"""

from __future__ import annotations

_HEX = "[0-9A-Fa-f]"
_END = "(?![0-9A-Za-z])"


def _lengths(*numbers: int) -> str:
    return "|".join(f"{_HEX}{{{number}}}" for number in numbers)


# Links of any scheme, links without one, drives and shares of Windows.
_LINK = r"(?ai:[a-z][a-z0-9+.-]{1,19}://|www\.|magnet:\?|data:[a-z]+/|[a-z]:[\\/]|\\\\[0-9a-z_.-]+\\)[!-~]+"
# Domains, with a mailbox or without; below the less frequent ones a path must follow: t.me/aaaaaa.
_FREQUENT = "com|cn|net|org|edu|gov|info|biz|xyz|top|vip|club|site|shop|app|dev|io|cc|tv|uk|jp|kr|tw|hk|de|fr|ru|eu"
_BELOW = rf"(?:{_FREQUENT})(?![0-9a-z-])(?:[:/?#][!-~]*)?|(?:[a-z]{{2,6}}|[0-9]{{1,3}})(?::[0-9]{{1,5}})?/[!-~]+"
_DOMAIN = rf"(?<![._+@-])(?ai:(?:[0-9a-z_.+-]++@)?(?:[0-9a-z-]++\.)+(?:{_BELOW}))"
# Paths from the root, with two names or more, or from the home, or the folder here or above.
_NAME = "/[0-9A-Za-z_.][0-9A-Za-z_.@%+~-]*+"
_PATH = rf"(?<![/~.])(?:(?:~|\.{{1,2}})(?:{_NAME})++|(?:{_NAME}){{2,}}+)"
# Numbers in base 16; colours, by their sign or by name.
_NUMBER = rf"(?:0[Xx]|[Uu]\+){_HEX}++{_END}"
_SIGNED = rf"[#＃](?:{_lengths(3, 4, 6, 8)}){_END}"
_LABEL = r"[ :=：('\"是]"
_NAMED = (
    rf"(?:(?:颜色|色[号值码])(?:{_LABEL}{{1,3}})?|色{_LABEL}{{1,3}}|(?ai:(?<![0-9a-z])(?:a?rgba?|hex|(?:bg)?colou?r))"
    rf"{_LABEL}{{0,3}})(?:{_lengths(6, 8)}){_END}"
)
# Network cards and hashes by name, for those that are one letter over and over.
_CALLED = (
    rf"(?ai:(?<![0-9a-z])mac(?: ?addr(?:ess)?)?)(?:地址)?{_LABEL}{{0,3}}(?:{_lengths(12)}){_END}"
    rf"|(?ai:(?<![0-9a-z])(?:md5|sha-?(?:1|256|512)))[值码]?{_LABEL}{{0,3}}(?:{_lengths(16, 32, 40, 64, 128)}){_END}"
)
# The numbers of articles on PTT, and mentions.
_ARTICLE = "#1[0-9A-Za-z_-]{7}(?![0-9A-Za-z_-])"
_MENTION = "(?<![0-9A-Za-z])[@＠][0-9A-Za-z_-]++"
# UUID, and addresses of IPv6 and of network cards.
_UUID = rf"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}{_END}"
_COLONS = rf"{_HEX}{{1,4}}(?::{_HEX}{{1,4}}){{5,7}}{_END}"
_CARD = rf"(?:{_HEX}{{2}}(?:-{_HEX}{{2}}){{5}}|{_HEX}{{4}}(?:\.{_HEX}{{4}}){{2}}){_END}"
# Hashes of 48 to 512 bits. In them letters follow digits and digits follow letters, as in no laughter (2333aaaaaaaa).
_MIXED = "(?=[A-Fa-f]*+[0-9]++[A-Fa-f])(?=[0-9]*+[A-Fa-f]++[0-9])"
_HASH = rf"{_MIXED}(?:{_lengths(12, 16, 24, 32, 40, 48, 56, 64, 96, 128)}){_END}"

_WORDS = "|".join((_LINK, _DOMAIN, _PATH, _NUMBER, _UUID, _COLONS, _CARD, _HASH))
#: Links, domains, paths, mentions, colours (#DDDDDD), numbers in base 16, UUID, hashes, network addresses, numbers of
#: articles: a pattern of `re`.
CODE = rf"{_SIGNED}|{_ARTICLE}|{_NAMED}|{_CALLED}|{_MENTION}|(?<![0-9A-Za-z])(?=[0-9A-Za-z._~/\\+-])(?:{_WORDS})"
