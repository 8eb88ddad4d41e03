"""The language of texts on the terminal, and its catalogue of translations.

The language is the value of `--lang`, or that of the locale, or English. Only texts for people on the terminal are
translated. Files, JSON and JSON logs are always in English.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from chat_corpus.messages import load_catalogue, translated

LANGUAGES = ("en", "zh")
OPTION = "--lang"
#: Environment variables with the locale of messages. The first one that is set is used (POSIX, Base Definitions 8.2).
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
#: Primary language identifier of Chinese, in the lower ten bits of a Windows language identifier (winnt.h).
_LANG_CHINESE, _PRIMARY = 0x04, 0x3FF

#: English templates and their translations; empty for English.
_catalogue: dict[str, str] = {}


def split(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """Return the value of the last `--lang` in the arguments of a command line, and the other arguments.

    The option may be anywhere before `--`. The value is None if the option is not given, and empty if it has no value.

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
    """Return the language for a value of `--lang` or of a locale variable; None if the language is not in `LANGUAGES`.

    >>> named("zh_CN.UTF-8"), named("zh-Hans"), named("en"), named("fr_FR"), named("C")
    ('zh', 'zh', 'en', None, None)
    """
    primary = value.lower().replace("-", "_").replace(".", "_").split("_")[0]
    return primary if primary in LANGUAGES else None


def of_environment() -> str:
    """Return the language of the locale, or on Windows that of the user interface if no variable sets a locale.

    Returns English if the encoding of stderr has no Han characters.
    """
    locale = next((value for name in _VARIABLES if (value := os.environ.get(name))), None)
    if locale is None and sys.platform == "win32":
        language = _of_windows()
    else:
        language = named(locale or "") or "en"
    return language if language == "en" or _shows_han() else "en"


def _of_windows() -> str:
    import ctypes

    windll = getattr(ctypes, "windll", None)  # type checkers on other systems do not know it
    identifier = windll.kernel32.GetUserDefaultUILanguage() if windll else 0
    return "zh" if identifier & _PRIMARY == _LANG_CHINESE else "en"


def _shows_han() -> bool:
    try:
        "中".encode(getattr(sys.stderr, "encoding", None) or "utf-8")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def use(language: str) -> None:
    """Set the current language to one of `LANGUAGES`."""
    _catalogue.clear()
    if language != "en":
        _catalogue.update(load_catalogue(language))


def translate(text: object) -> str:
    """Return a message in the current language; any other text unchanged."""
    return str(translated(text, _catalogue)) if _catalogue else str(text)


def lookup(template: str) -> str:
    """Return the translation of a text without values, such as a help text; the text itself if there is none."""
    return _catalogue.get(template, template)


def catalogue() -> Mapping[str, str]:
    """Return the catalogue of the current language."""
    return _catalogue


def in_use() -> str:
    """Return the current language, one of `LANGUAGES`."""
    return "zh" if _catalogue else "en"
