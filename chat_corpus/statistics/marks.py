"""Personal data, web addresses and special tokens in texts: how many there are of each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from chat_corpus.exports import special_tokens
from chat_corpus.pipeline.filters import personal

#: A web address, by its beginning: http://, https:// or ftp:// before anything, or www. that is not part of one.
URL = re.compile(r"(?:https?|ftp)://[^\s/]|(?<![0-9A-Za-z./-])www\.[0-9A-Za-z]", re.ASCII | re.IGNORECASE)
#: Names of counters, and what those of personal data begin with.
URLS, SPECIAL_TOKENS, PERSONAL = "urls", "special_tokens", "personal."
_TOKEN = re.compile(special_tokens.PATTERN)


def count_marks(with_personal: Sequence[str], with_url: Sequence[str], with_token: Sequence[str]) -> Counter[str]:
    """Count personal data, web addresses and special tokens, each in texts that may hold some.

    The counters are `urls`, `special_tokens`, and `personal.` with a kind of `personal.Personal`.

    >>> dict(count_marks(["加我QQ：123456789"], ["见 https://x.example/a"], ["<s>"]))
    {'personal.qq': 1, 'urls': 1, 'special_tokens': 1}
    """
    kinds: Counter[str] = Counter()
    # Neither a web address nor a token goes beyond the end of a line.
    for text in with_personal:
        personal.mask_text(text, kinds)
    counts = Counter({f"{PERSONAL}{kind}": count for kind, count in kinds.items()})
    counts[URLS] = len(URL.findall("\n".join(with_url)))
    counts[SPECIAL_TOKENS] = len(_TOKEN.findall("\n".join(with_token)))
    return +counts
