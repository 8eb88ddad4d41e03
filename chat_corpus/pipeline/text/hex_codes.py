"""Codes and addresses: text in which each letter counts, so a run of one letter in it is not emphasis.

Each repetition in these patterns can match in only one way, and each pattern begins at the start of a word, so matching
takes linear time.
"""

from __future__ import annotations

_HEX = "[0-9A-Fa-f]"
_END = "(?![0-9A-Za-z])"


def _lengths(*numbers: int) -> str:
    return "|".join(f"{_HEX}{{{number}}}" for number in numbers)


# Links with any scheme or without one, drives and shares of Windows.
_LINK = r"(?ai:[a-z][a-z0-9+.-]{1,19}://|www\.|magnet:\?|data:[a-z]+/|[a-z]:[\\/]|\\\\[0-9a-z_.-]+\\)[!-~]+"
# Domains, with or without a mailbox. After a less frequent top-level domain a path must follow: t.me/aaaaaa.
_FREQUENT = "com|cn|net|org|edu|gov|info|biz|xyz|top|vip|club|site|shop|app|dev|io|cc|tv|uk|jp|kr|tw|hk|de|fr|ru|eu"
_BELOW = rf"(?:{_FREQUENT})(?![0-9a-z-])(?:[:/?#][!-~]*)?|(?:[a-z]{{2,6}}|[0-9]{{1,3}})(?::[0-9]{{1,5}})?/[!-~]+"
_DOMAIN = rf"(?<![._+@-])(?ai:(?:[0-9a-z_.+-]++@)?(?:[0-9a-z-]++\.)+(?:{_BELOW}))"
# Paths of two or more names from the root, or paths from the home, this or the parent folder.
_NAME = "/[0-9A-Za-z_.][0-9A-Za-z_.@%+~-]*+"
_PATH = rf"(?<![/~.])(?:(?:~|\.{{1,2}})(?:{_NAME})++|(?:{_NAME}){{2,}}+)"
# Hexadecimal numbers; colours after a # or after a word for colour.
_NUMBER = rf"(?:0[Xx]|[Uu]\+){_HEX}++{_END}"
_SIGNED = rf"[#＃](?:{_lengths(3, 4, 6, 8)}){_END}"
_LABEL = r"[ :=：('\"是]"
_NAMED = (
    rf"(?:(?:颜色|色[号值码])(?:{_LABEL}{{1,3}})?|色{_LABEL}{{1,3}}|(?ai:(?<![0-9a-z])(?:a?rgba?|hex|(?:bg)?colou?r))"
    rf"{_LABEL}{{0,3}})(?:{_lengths(6, 8)}){_END}"
)
# MAC addresses and hashes after a word for them, because _HASH does not match those that repeat one letter.
_CALLED = (
    rf"(?ai:(?<![0-9a-z])mac(?: ?addr(?:ess)?)?)(?:地址)?{_LABEL}{{0,3}}(?:{_lengths(12)}){_END}"
    rf"|(?ai:(?<![0-9a-z])(?:md5|sha-?(?:1|256|512)))[值码]?{_LABEL}{{0,3}}(?:{_lengths(16, 32, 40, 64, 128)}){_END}"
)
# Article numbers of PTT, and mentions.
_ARTICLE = "#1[0-9A-Za-z_-]{7}(?![0-9A-Za-z_-])"
_MENTION = "(?<![0-9A-Za-z])[@＠][0-9A-Za-z_-]++"
# UUIDs, IPv6 addresses and MAC addresses.
_UUID = rf"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}{_END}"
_COLONS = rf"{_HEX}{{1,4}}(?::{_HEX}{{1,4}}){{5,7}}{_END}"
_CARD = rf"(?:{_HEX}{{2}}(?:-{_HEX}{{2}}){{5}}|{_HEX}{{4}}(?:\.{_HEX}{{4}}){{2}}){_END}"
# Hashes of 48 to 512 bits. Letters must follow digits and digits letters, which excludes laughter (2333aaaaaaaa).
_MIXED = "(?=[A-Fa-f]*+[0-9]++[A-Fa-f])(?=[0-9]*+[A-Fa-f]++[0-9])"
_HASH = rf"{_MIXED}(?:{_lengths(12, 16, 24, 32, 40, 48, 56, 64, 96, 128)}){_END}"

_WORDS = "|".join((_LINK, _DOMAIN, _PATH, _NUMBER, _UUID, _COLONS, _CARD, _HASH))
#: A pattern of `re` for links, domains, paths, mentions, colours (#DDDDDD), hexadecimal numbers, UUIDs, hashes, network
#: addresses and article numbers.
CODE = rf"{_SIGNED}|{_ARTICLE}|{_NAMED}|{_CALLED}|{_MENTION}|(?<![0-9A-Za-z])(?=[0-9A-Za-z._~/\\+-])(?:{_WORDS})"
