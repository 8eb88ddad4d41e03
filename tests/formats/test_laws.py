"""Each format on any files: nothing raises, nothing is lost, and no row depends on the cuts."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import examples
from tests.formats import laws
from tests.formats.laws import FORMATS

_FAST = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
PHASES = [Phase.generate, Phase.shrink]
SIZES = st.sampled_from([1, 7, 64, 1000])


#: Formats that have turns literally in the file, and within how many lines from their address.
LITERAL = {
    "conv": 1,
    "tabbed": 101,  # a field in quotes may have several lines
    "barred": 101,
    "chained": 101,
    "labelled": 1,
    "parallel": 1,
    "quoted": 101,
    "line ids": 1000,
    "blank lines": 1,
}


def _try(name: str, data: st.DataObject) -> None:
    format_, files = FORMATS[name]
    contents = data.draw(files)
    whole = laws.read(format_, *contents)
    laws.check_possible(whole)
    if name in LITERAL:
        laws.check_addresses(whole, contents, reach=LITERAL[name], doubled=LITERAL[name] == 101)
    size = data.draw(SIZES)
    shards = laws.read(format_, *contents, shard_bytes=size)
    assert shards.anywhere() == whole.anywhere()
    assert shards.addressed() == whole.addressed()
    assert shards.non_turns == whole.non_turns


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=examples(7), phases=PHASES, deadline=None, suppress_health_check=_FAST)
@given(data=st.data())
def test_nothing_raises_or_is_lost_at_any_cut(name: str, data: st.DataObject) -> None:
    _try(name, data)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=examples(20), phases=PHASES, deadline=None, suppress_health_check=_FAST)
@given(data=st.data())
def test_nothing_raises_or_is_lost_in_more_files_at_any_cut(name: str, data: st.DataObject) -> None:
    _try(name, data)


MANY: dict[str, tuple[str, str]] = {
    "conv": ("", "E\nM 问\nM 答\n"),
    "tabbed": ("", "问题\t回答\n"),
    "chained": ("", "问题\t回答\n"),
    "labelled": ("", "1\t甲\t乙\n0\t甲\t丙\n1\t丁\t戊\n"),
    "quoted": ("question,answer\n", '"问\n题",回答\n'),
    "json lines": ("", '{"instruction": "问", "output": "答"}\n'),
    "json array": ("[", '{"instruction": "问", "output": "答"},\n'),
    "blank lines": ("", "问\n答\n\n"),
    "chat export": ("", "2024-01-01 08:00 甲: 问\n2024-01-01 08:01 乙: 答\n2024-01-01 18:00 甲: 问\n"),
    "subrip": ("", "1\n00:00:01,000 --> 00:00:02,000\n问\n\n2\n00:10:01,000 --> 00:10:02,000\n答\n\n"),
    "messages": ("dialogue,speaker,text\n", "1,甲,问\n1,乙,答\n2,甲,问\n"),
    "xml": ("<corpus>", "<message><text>问</text></message>\n"),
}


@pytest.mark.parametrize("name", MANY)
def test_a_long_file_is_cut_into_shards_of_about_the_requested_size(name: str) -> None:
    head, record = MANY[name]
    content = head + record * 60
    result = laws.read(FORMATS[name][0], content, shard_bytes=200)
    assert len(result.frames) >= len(content.encode()) // 600
