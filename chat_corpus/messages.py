"""Text for people: translatable messages, counts, sizes, and names of files without control characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache

_BREAK = re.compile(r"\r?\n|\r")

#: Classes of characters that are written from right to left.
_RTL = frozenset({"R", "AL", "AN"})
#: Characters that are printable for `str.isprintable`, but invisible.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0") | frozenset(
    map(chr, (*range(0xFE00, 0xFE0F), *range(0xE0100, 0xE01F0)))
)

#: Maximum length of the beginning of a record in a message, in characters.
_BEGINNING = 80


class Message(str):
    """A message in English that stores its template and values, so that a terminal can show it in another language.

    It is a `str` everywhere else: files, JSON and logs hold the English text. `template` is the English sentence with
    the names of `values` in braces; values may be messages themselves. `translated` looks templates up in a catalogue.
    `context` separates uses of the same template for which other languages have different words.
    """

    template: str
    values: Mapping[str, object]
    context: str = ""

    def translated(self, catalogue: Mapping[str, str]) -> str:
        """Return the message in the language of a catalogue, which maps English templates to translated ones.

        A template that the catalogue lacks stays English. The key of a template with a context is
        `template [context]`.
        """
        key = f"{self.template} [{self.context}]" if self.context else self.template
        return catalogue.get(key, self.template).format(
            **{name: translated(value, catalogue) for name, value in self.values.items()}
        )

    def with_values(self, **values: object) -> Message:
        """Return the message with other values of the same names."""
        return message(self.template, self.context, **values)


class _Joined(Message):
    """Messages with a separator between them."""

    def translated(self, catalogue: Mapping[str, str]) -> str:
        """Return the messages in the language of a catalogue, which may translate the separator too."""
        separator = catalogue.get(self.template, self.template)
        return separator.join(str(translated(part, catalogue)) for part in self.values.values())


def message(template: str, context: str = "", /, **values: object) -> Message:
    """Return a message made of a literal template and the values of its names.

    `context` is part of the key in catalogues: `records [export]`.

    >>> message("{file}: {count} expected", file="a.csv", count=message("{number} fields", number=2))
    'a.csv: 2 fields expected'
    """
    made = Message(template.format(**values))
    made.template, made.values, made.context = template, values, context
    return made


class _Constant(Message):
    """A text without values, which may have braces."""

    def translated(self, catalogue: Mapping[str, str]) -> str:
        """Return the text in the language of a catalogue."""
        return catalogue.get(self.template, self.template)


def constant(text: str) -> Message:
    """Return a text from a declaration, for example the licence of a source, as a message; a message is returned as is.

    >>> constant("see {x}").translated({"see {x}": "参见 {x}"})
    '参见 {x}'
    """
    if isinstance(text, Message):
        return text
    made = _Constant(text)
    made.template, made.values = text, {}
    return made


def joined(separator: str, parts: Iterable[str]) -> Message:
    """Return messages or other text as one message, with `separator` between them.

    >>> joined(", ", ["ptt", "weibo"])
    'ptt, weibo'
    """
    values = {str(number): part for number, part in enumerate(parts)}
    made = _Joined(separator.join(values.values()))
    made.template, made.values = separator, values
    return made


def translated(value: object, catalogue: Mapping[str, str]) -> object:
    """Return a message in the language of a catalogue, and any other value unchanged."""
    return value.translated(catalogue) if isinstance(value, Message) else value


@cache
def load_catalogue(language: str) -> Mapping[str, str]:
    """Return the catalogue of a language: English templates and their translations."""
    import json
    from importlib.resources import files  # imported here, since English needs neither module

    data = files("chat_corpus").joinpath("cli", "catalogues", f"{language}.json").read_bytes()
    entries: dict[str, str] = json.loads(data)
    return entries


def safe(text: str) -> str:
    r"""Return text with escapes in place of control characters, except line breaks and tabs.

    The ideographic space of Chinese text stays.

    >>> safe("a\x1b[31m")
    'a\\x1b[31m'
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n\t\N{IDEOGRAPHIC SPACE}" else c.encode("unicode_escape").decode() for c in text
    )


def count_noun(number: int, noun: str, context: str = "") -> Message:
    """Return a number and its noun, singular or plural. A catalogue has the plural: `{number:,} lines`.

    `context` is as in `message`.

    >>> count_noun(1, "line"), count_noun(2000, "line")
    ('1 line', '2,000 lines')
    """
    made = Message(f"{number:,} {noun}{'' if number == 1 else 's'}")
    made.template, made.values, made.context = f"{{number:,}} {noun}s", {"number": number}, context
    return made


def one_line(text: str) -> str:
    r"""Return text as one line: line breaks, tabs and other control characters become escapes.

    >>> one_line("a\r\nb\tc")
    'a\\nb\\tc'
    """
    return safe(_BREAK.sub(r"\\n", text).replace("\t", r"\t"))


def visible(text: str) -> str:
    r"""Return text of a corpus as one line that shows every character and cannot change the order of other text.

    Escapes replace the characters that `one_line` escapes, and also characters that are written from right to left,
    fillers that look like blanks, and variation selectors except the one that selects emoji.

    >>> visible("a\N{RIGHT-TO-LEFT OVERRIDE}b\N{HANGUL FILLER}\N{HEBREW LETTER ALEF}\n\N{HEAVY BLACK HEART}\ufe0f")
    'a\\u202eb\\u3164\\u05d0\\n❤️'
    """
    return "".join(_escaped(c) if c in _UNSEEN or unicodedata.bidirectional(c) in _RTL else c for c in one_line(text))


def displayed(name: str) -> str:
    r"""Return the name of a file as one line, with escapes for control characters and for bytes that are not text.

    >>> displayed("a\nb\x1b[31m\udcff好")
    'a\\nb\\x1b[31m\\xff好'
    """
    return "".join(c if c.isprintable() else _escaped(c) for c in name)


def error_text(error: BaseException) -> str:
    r"""Return the text of an exception as one line; if it is a `Message`, it stays translatable.

    >>> error_text(ValueError(message("{count} expected", count=2))), error_text(OSError("a\nb"))
    ('2 expected', 'a\\nb')
    """
    text = error.args[0] if len(error.args) == 1 else None
    return text if isinstance(text, Message) else displayed(str(error))


def beginning(record: str) -> str:
    r"""Return the beginning of a raw record as one line without control characters.

    >>> beginning("0,在吗,\n  在")
    '0,在吗, 在'
    """
    return displayed(" ".join(record[: _BEGINNING * 4].split())[:_BEGINNING])


def _escaped(character: str) -> str:
    code = ord(character)
    # Python decodes a byte that is not text in the encoding of the file system as U+DC80 to U+DCFF.
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else character.encode("unicode_escape").decode()


def amount(size: float) -> str:
    """Return a number of bytes in kB or MB.

    >>> amount(300), amount(42_000), amount(2_310_000), amount(47_000_000), amount(5e9)
    ('0.3 kB', '42 kB', '2.3 MB', '47 MB', '5,000 MB')
    """
    return " ".join(scaled(size))


def scaled(size: float) -> tuple[str, str]:
    """Return a number of bytes as a number in kB or MB, and the unit."""
    number, unit = (size / 1e6, "MB") if size >= 1e6 else (size / 1e3, "kB")
    return f"{number:,.{0 if number >= 10 or not number else 1}f}", unit
