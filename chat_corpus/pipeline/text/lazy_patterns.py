"""Regular expressions that are compiled on first use: compiling all of them takes longer than a small run."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial


def lazy(pattern: str, flags: int = 0) -> Callable[[], re.Pattern[str]]:
    """Return a function that returns the compiled expression.

    >>> spaces = lazy(" +")
    >>> spaces().sub(" ", "好  的")
    '好 的'
    """
    return cache(partial(re.compile, pattern, flags))
