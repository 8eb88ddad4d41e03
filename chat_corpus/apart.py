"""Work in threads of their own, so that regular expressions stay compiled.

Polars keeps the 32 expressions that a thread has used last, and a shard needs up to 120. Used in turn, one more than
32 means that none is kept: all are compiled again for each shard, and each learns its text anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


def apart(kind: str, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Call `work` in the thread of this kind of work, which must not be the one that asks, and wait for it."""
    return _thread(kind, os.getpid()).submit(work, *args, **kwargs).result()


@cache
def _thread(kind: str, process: int) -> ThreadPoolExecutor:  # noqa: ARG001 a forked process does not have its parent's
    return ThreadPoolExecutor(1, thread_name_prefix=kind)
