"""Count personal data, web addresses and special tokens in texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from chat_corpus.exports import special_tokens
from chat_corpus.pipeline.filters import personal

#: The beginning of a web address: http://, https:// or ftp://, or www. that is not within a name or an address; and one
#: more character.
URL = re.compile(r"(?:https?|ftp)://[^\s/]|(?<![0-9A-Za-z./-])www\.[0-9A-Za-z]", re.ASCII | re.IGNORECASE)
#: Names of counters, and the prefix of the names for personal data.
URLS, SPECIAL_TOKENS, PERSONAL = "urls", "special_tokens", "personal."
_TOKEN = re.compile(special_tokens.PATTERN)
_TOKEN_BEGINS = sorted({re.escape(token[:2]) for token in special_tokens.SPECIAL_TOKENS})
#: A pattern that matches every text with a mark, and few others.
CANDIDATE = "|".join((personal.CANDIDATE, "://", r"[Ww]{3}\.", "<[|｜]", *_TOKEN_BEGINS))


def count_marks(texts: Sequence[str]) -> Counter[str]:
    """Return the number of personal data, web addresses and special tokens in texts; counts of 0 are left out.

    The counters are `urls`, `special_tokens`, and `personal.` with a kind of `personal.Personal`.

    >>> dict(count_marks(["加我QQ：123456789", "见 https://x.example/a", "<s>"]))
    {'personal.qq': 1, 'urls': 1, 'special_tokens': 1}
    """
    kinds: Counter[str] = Counter()
    for text in texts:
        personal.mask_text(text, kinds)
    counts = Counter({f"{PERSONAL}{kind}": count for kind, count in kinds.items()})
    joined = "\n".join(texts)  # no web address or token contains a line break
    counts[URLS] = len(URL.findall(joined))
    counts[SPECIAL_TOKENS] = len(_TOKEN.findall(joined))
    return +counts
