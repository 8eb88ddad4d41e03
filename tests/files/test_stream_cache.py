"""Cached streams: reads continue where they stopped, a stream has one user at a time, and all are closed."""

from __future__ import annotations

import io
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_corpus.files.stream_cache import StreamCache

CONTENT = bytes(range(200))


class Opened:
    """Opens streams of the same content, and counts those that are open and those that were opened."""

    def __init__(self) -> None:
        self.streams: list[io.BytesIO] = []

    def __call__(self) -> IO[bytes]:
        self.streams.append(io.BytesIO(CONTENT))
        return self.streams[-1]

    @property
    def open(self) -> int:
        return sum(not stream.closed for stream in self.streams)


def read(cache: StreamCache, key: object, start: int, size: int, opened: Opened) -> bytes:
    with cache.use(key, start, opened) as stream:
        return stream.read(size)


def test_ranges_in_order_take_one_pass_per_key() -> None:
    cache, opened = StreamCache(most=4), Opened()
    for start in range(0, 100, 10):
        for key in ("a", "b"):
            assert read(cache, key, start, 5, opened) == CONTENT[start : start + 5]
    assert (len(opened.streams), len(cache)) == (2, 2)


def test_an_earlier_range_takes_a_new_pass_and_the_nearest_stream_is_used() -> None:
    cache, opened = StreamCache(most=4), Opened()
    for start in (50, 10, 20, 60):
        read(cache, "a", start, 1, opened)
    assert len(opened.streams) == 2
    assert [stream.tell() for stream in opened.streams] == [61, 21]


def test_the_least_recently_used_stream_is_closed() -> None:
    cache, opened = StreamCache(most=2), Opened()
    for key, start in (("a", 1), ("b", 1), ("a", 5), ("c", 1)):
        read(cache, key, start, 1, opened)
    assert (len(cache), [stream.closed for stream in opened.streams]) == (2, [False, True, False])


def test_a_taken_stream_leaves_the_cache() -> None:
    cache, opened = StreamCache(most=2), Opened()
    read(cache, "a", 3, 1, opened)
    assert cache.take("a", 3) is None
    assert cache.take("b", 9) is None
    stream = cache.take("a", 4)
    assert stream is opened.streams[0]
    assert (len(cache), cache.take("a", 9), opened.open) == (0, None, 1)


def test_a_stream_in_use_is_not_shared() -> None:
    cache, opened = StreamCache(most=2), Opened()
    with cache.use("a", 0, opened) as first, cache.use("a", 0, opened) as second:
        assert first is not second
    assert len(cache) == 2


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
def test_a_stream_that_fails_is_closed_and_removed(stop: type[BaseException]) -> None:
    cache, opened = StreamCache(most=2), Opened()
    with pytest.raises(stop), cache.use("a", 0, opened):
        raise stop
    assert (len(cache), opened.open) == (0, 0)


def test_dropped_streams_are_closed() -> None:
    cache, opened = StreamCache(most=4), Opened()
    for key, start in (("a", 9), ("b", 9), ("a", 3)):
        read(cache, key, start, 1, opened)
    cache.drop("a")
    cache.drop("another")
    assert (len(cache), opened.open) == (1, 1)
    cache.close()
    assert (len(cache), opened.open) == (0, 0)


RANGES = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 210), st.integers(0, 90)), max_size=12)


@given(RANGES, st.integers(1, 3))
def test_a_range_does_not_depend_on_earlier_reads(ranges: list[tuple[str, int, int]], most: int) -> None:
    cache, opened = StreamCache(most=most), Opened()
    for key, start, size in ranges:
        assert read(cache, key, start, size, opened) == CONTENT[start : start + size]
        assert opened.open == len(cache) <= most
