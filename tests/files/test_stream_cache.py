"""Streams are read on where they were left, are in one place at a time, and are closed by whoever has them last."""

from __future__ import annotations

import io
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_corpus.files.stream_cache import StreamCache

CONTENT = bytes(range(200))


class Opened:
    """Streams of one content, and how many of them are open, and were opened."""

    def __init__(self) -> None:
        self.made: list[io.BytesIO] = []

    def __call__(self) -> IO[bytes]:
        self.made.append(io.BytesIO(CONTENT))
        return self.made[-1]

    @property
    def open(self) -> int:
        return sum(not one.closed for one in self.made)


def read(cache: StreamCache, key: object, start: int, size: int, opened: Opened) -> bytes:
    with cache.use(key, start, opened) as stream:
        return stream.read(size)


def test_ranges_in_order_are_one_pass_of_each_key() -> None:
    cache, opened = StreamCache(most=4), Opened()
    for start in range(0, 100, 10):
        for key in ("a", "b"):
            assert read(cache, key, start, 5, opened) == CONTENT[start : start + 5]
    assert (len(opened.made), len(cache)) == (2, 2)


def test_a_range_before_is_a_pass_of_its_own_and_the_nearest_stream_is_read_on() -> None:
    cache, opened = StreamCache(most=4), Opened()
    for start in (50, 10, 20, 60):
        read(cache, "a", start, 1, opened)
    assert len(opened.made) == 2
    assert [one.tell() for one in opened.made] == [61, 21]


def test_the_stream_that_was_not_used_for_longest_is_closed() -> None:
    cache, opened = StreamCache(most=2), Opened()
    for key, start in (("a", 1), ("b", 1), ("a", 5), ("c", 1)):
        read(cache, key, start, 1, opened)
    assert (len(cache), [one.closed for one in opened.made]) == (2, [False, True, False])


def test_a_stream_that_was_taken_is_no_longer_there() -> None:
    cache, opened = StreamCache(most=2), Opened()
    read(cache, "a", 3, 1, opened)
    assert cache.take("a", 3) is None
    assert cache.take("b", 9) is None
    stream = cache.take("a", 4)
    assert stream is opened.made[0]
    assert (len(cache), cache.take("a", 9), opened.open) == (0, None, 1)


def test_a_stream_in_use_is_given_to_nobody_else() -> None:
    cache, opened = StreamCache(most=2), Opened()
    with cache.use("a", 0, opened) as one, cache.use("a", 0, opened) as other:
        assert one is not other
    assert len(cache) == 2


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
def test_a_stream_that_fails_is_closed_and_forgotten(stop: type[BaseException]) -> None:
    cache, opened = StreamCache(most=2), Opened()
    with pytest.raises(stop), cache.use("a", 0, opened):
        raise stop
    assert (len(cache), opened.open) == (0, 0)


def test_what_is_dropped_is_closed() -> None:
    cache, opened = StreamCache(most=4), Opened()
    for key, start in (("a", 9), ("b", 9), ("a", 3)):
        read(cache, key, start, 1, opened)
    cache.drop("a")
    cache.drop("nobody's")
    assert (len(cache), opened.open) == (1, 1)
    cache.close()
    assert (len(cache), opened.open) == (0, 0)


RANGES = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 210), st.integers(0, 90)), max_size=12)


@given(RANGES, st.integers(1, 3))
def test_whatever_is_read_before_a_range_is_what_it_is(ranges: list[tuple[str, int, int]], most: int) -> None:
    cache, opened = StreamCache(most=most), Opened()
    for key, start, size in ranges:
        assert read(cache, key, start, size, opened) == CONTENT[start : start + size]
        assert opened.open == len(cache) <= most
