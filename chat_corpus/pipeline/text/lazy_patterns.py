"""Regular expressions that are compiled when they are first used: all of them together take longer than a small run."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial


def lazy(pattern: str, flags: int = 0) -> Callable[[], re.Pattern[str]]:
    """A function that gives the compiled expression.

    >>> spaces = lazy(" +")
    >>> spaces().sub(" ", "好  的")
    '好 的'
    """
    return cache(partial(re.compile, pattern, flags))
