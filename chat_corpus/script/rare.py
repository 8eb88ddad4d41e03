"""Which characters of the dictionaries chat hardly ever has: texts without them need half of the dictionaries."""

from __future__ import annotations

from collections.abc import Mapping

#: The first bytes of Big5's 5,401 characters of the first level, those in use.
_FIRST_LEVEL = frozenset(bytes([byte]) for byte in range(0xA4, 0xC7))

#: Outside of them, and often in chat all the same, in Hong Kong's above all.
_OFTEN = "噁飆裏爲麽衞綫"

#: Seldom in chat, for all the words that the dictionaries have with them, most with 沈 梁 藉 覆.
_SELDOM = "沈藉覆昇鍊鍾蒐祕逕甦脩祇氾鉅瞭梁么鎔"


def rare(table: Mapping[str, str]) -> frozenset[str]:
    """Return characters that few turns have (one of PTT in 150), with which most entries of a table are written."""
    changed = {key for key, value in table.items() if len(key) == 1 and key != value}
    return frozenset(_SELDOM).union(character for character in changed if not _usual(character))


def _usual(character: str) -> bool:
    return character in _OFTEN or character.encode("big5", "ignore")[:1] in _FIRST_LEVEL
