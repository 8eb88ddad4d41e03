"""Parallel files: line n of the second answers line n of the first."""

from __future__ import annotations

from chat_corpus.formats.parallel_files import PARALLEL
from chat_corpus.schema import Reason
from tests.formats.laws import read


def test_line_n_answers_line_n_with_the_addresses_of_both() -> None:
    result = read(PARALLEL, "问一\n问二\n", "答一\n答二")
    assert result.addressed() == [("问一", "答一", 0, 1, 1, 1, None), ("问二", "答二", 0, 2, 1, 2, None)]


def test_a_bad_byte_rejects_only_its_pair() -> None:
    result = read(PARALLEL, "问一\n".encode() + b"\xff\n" + "问三\n".encode(), "答一\n答二\n答三\n")
    assert result.pairs() == [("问一", "答一"), ("问三", "答三")]
    assert result.rejects == [(2, Reason.ENCODING)]


def test_odd_line_breaks_do_not_shift_the_lines() -> None:
    result = read(PARALLEL, "问\u2028一\n问\x85二\n", "答\v一\r\n答\f二\n", shard_bytes=1)
    assert result.pairs() == [("问\u2028一", "答\v一"), ("问\x85二", "答\f二")]


def test_an_empty_line_rejects_its_pair() -> None:
    result = read(PARALLEL, "问一\n\n问三", "答一\n答二\n \n")
    assert result.pairs() == [("问一", "答一")]
    assert result.rejects == [(2, Reason.EMPTY), (3, Reason.EMPTY)]


def test_additional_lines_of_one_file_are_unpaired() -> None:
    for size in (1, 7, 1000):
        result = read(PARALLEL, "问一\n问二\n", "答一\n", shard_bytes=size)
        assert result.pairs() == [("问一", "答一")]
        assert result.rejects == [(2, Reason.UNPAIRED)]
        result = read(PARALLEL, "问一\n", "答一\n答二\n答三", shard_bytes=size)
        assert result.pairs() == [("问一", "答一")]
        assert result.rejects == [(2, Reason.UNPAIRED), (3, Reason.UNPAIRED)]


def test_lines_of_very_different_length_are_cut_at_the_same_number() -> None:
    left, right = [f"问{n}" for n in range(50)], [f"答{n}" + "长" * 90 for n in range(50)]
    result = read(PARALLEL, "\n".join(left), "\n".join(right), shard_bytes=64)
    assert len(result.frames) > 3
    assert result.pairs() == list(zip(left, right, strict=True))
