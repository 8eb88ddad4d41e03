"""The language of the terminal: `--lang`, else the locale, else English; and the catalogue of translations.

Only what a person reads on the terminal is translated. Files, JSON and logs hold English, whatever the locale.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from chat_corpus.messages import load_catalogue, translated

LANGUAGES = ("en", "zh")
OPTION = "--lang"
#: Environment variables that name the locale of messages, the first one that is set wins (POSIX, Base Definitions 8.2).
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
#: Primary language identifier of Chinese, in the lower ten bits of a Windows language identifier (winnt.h).
_LANG_CHINESE, _PRIMARY = 0x04, 0x3FF

#: English templates and their translations; empty for English.
_catalogue: dict[str, str] = {}


def split(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """The value of the last `--lang` among the words of a command line, and the other words.

    The option may be in any place before `--`. Its value is None without the option, and empty if it is missing.

    >>> split(["--lang", "zh", "run", "--lang=en", "-q"])
    ('en', ['run', '-q'])
    """
    value: str | None = None
    others: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return value, [*others, word, *rest]
        if word == OPTION:
            value = rest.pop(0) if rest else ""
        elif word.startswith(f"{OPTION}="):
            value = word.removeprefix(f"{OPTION}=")
        else:
            others.append(word)
    return value, others


def named(value: str) -> str | None:
    """The language that a value of `--lang` or of a locale variable names; None for one without a catalogue.

    >>> named("zh_CN.UTF-8"), named("zh-Hans"), named("en"), named("fr_FR"), named("C")
    ('zh', 'zh', 'en', None, None)
    """
    primary = value.lower().replace("-", "_").replace(".", "_").split("_")[0]
    return primary if primary in LANGUAGES else None


def of_environment() -> str:
    """The language of the locale, on Windows of the user interface; English if the terminal has no Han characters."""
    locale = next((value for name in _VARIABLES if (value := os.environ.get(name))), None)
    if locale is None and sys.platform == "win32":
        language = _of_windows()
    else:
        language = named(locale or "") or "en"
    return language if language == "en" or _shows_han() else "en"


def _of_windows() -> str:
    import ctypes

    windll = getattr(ctypes, "windll", None)  # there is none for type checkers of other systems
    identifier = windll.kernel32.GetUserDefaultUILanguage() if windll else 0
    return "zh" if identifier & _PRIMARY == _LANG_CHINESE else "en"


def _shows_han() -> bool:
    try:
        "中".encode(getattr(sys.stderr, "encoding", None) or "utf-8")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def use(language: str) -> None:
    """Show everything that follows in a language of `LANGUAGES`."""
    _catalogue.clear()
    if language != "en":
        _catalogue.update(load_catalogue(language))


def translate(text: object) -> str:
    """A message in the language in use; any other text as it is."""
    return str(translated(text, _catalogue)) if _catalogue else str(text)


def lookup(template: str) -> str:
    """The translation of a text without values, as help texts are; the text itself if there is none."""
    return _catalogue.get(template, template)


def catalogue() -> Mapping[str, str]:
    """The catalogue in use."""
    return _catalogue


def in_use() -> str:
    """The language in use, of `LANGUAGES`."""
    return "zh" if _catalogue else "en"
