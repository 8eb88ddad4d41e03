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
_TOKEN_BEGINS = sorted({re.escape(token[:2]) for token in special_tokens.SPECIAL_TOKENS})
#: Every text that holds a mark matches this, and few others do.
CANDIDATE = "|".join((personal.CANDIDATE, "://", r"[Ww]{3}\.", "<[|｜]", *_TOKEN_BEGINS))


def count_marks(texts: Sequence[str]) -> Counter[str]:
    """Count personal data, web addresses and special tokens.

    The counters are `urls`, `special_tokens`, and `personal.` with a kind of `personal.Personal`.

    >>> dict(count_marks(["加我QQ：123456789", "见 https://x.example/a", "<s>"]))
    {'personal.qq': 1, 'urls': 1, 'special_tokens': 1}
    """
    kinds: Counter[str] = Counter()
    for text in texts:
        personal.mask_text(text, kinds)
    counts = Counter({f"{PERSONAL}{kind}": count for kind, count in kinds.items()})
    joined = "\n".join(texts)  # neither a web address nor a token goes beyond the end of a line
    counts[URLS] = len(URL.findall(joined))
    counts[SPECIAL_TOKENS] = len(_TOKEN.findall(joined))
    return +counts
