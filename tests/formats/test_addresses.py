"""In layouts with escapes, the record at the address of a turn contains the turn."""

from __future__ import annotations

import json
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.formats.base import Format
from chat_corpus.formats.chatterbot_yaml import CORPUS_YAML
from chat_corpus.formats.instructions import instruction_turns
from chat_corpus.formats.json_records import json_array, json_lines
from chat_corpus.formats.xml_messages import xml_messages
from tests.conftest import examples
from tests.formats import laws

TEXT = st.text(st.sampled_from("问答好 ，。\"'\\/{}[]<>&:-#\t\u2028\x85a1😀"), min_size=1, max_size=12).filter(
    str.strip
)
#: Two texts, or a malformed record.
RECORDS = st.lists(st.one_of(st.tuples(TEXT, TEXT), st.none()), max_size=8)
Record = tuple[str, str] | None


def lines_of(records: list[Record], between: str) -> tuple[str, list[Record]]:
    lines = (
        json.dumps({"instruction": record[0], "output": record[1]}, ensure_ascii=False) if record else "{"
        for record in records
    )
    return "".join(f"{line}\n{between and chr(10)}" for line in lines), [
        line for record in records for line in _spread(record, between)
    ]


def _spread(record: Record, between: str) -> list[Record]:
    return [record, None] if between else [record]


def array_of(records: list[Record], between: str) -> tuple[str, list[Record]]:
    values = [
        json.dumps({"instruction": a, "output": b}) if (a, b) != ("", "") else '{"x": 1}' for a, b in _filled(records)
    ]
    return f"[{between}{f',{between}'.join(values)}{between}]", records


def _filled(records: list[Record]) -> list[tuple[str, str]]:
    return [record or ("", "") for record in records]


def xml_of(records: list[Record], between: str) -> tuple[str, list[Record]]:
    elements = (
        f"<message id='1'><text>{escape(record[0])}</text></message>" if record else "<message></x>"
        for record in records
    )
    return f"<c>{between}{between.join(elements)}{between}</c>", records


def yaml_of(records: list[Record], between: str) -> tuple[str, list[Record]]:
    lines: list[Record] = [None]
    text = "conversations:\n"
    for record in records:
        pair = [_quoted(turn) for turn in record] if record else ["[", "'"]
        text += f"- - {pair[0]}\n{between and '# '}{between.strip()}{between and chr(10)}  - {pair[1]}\n"
        lines += [record, *([None] if between else []), record]
    return text, lines


def _quoted(text: str) -> str:
    """Return a YAML scalar in double quotes, with escapes for U+0085 and U+2028, which YAML would fold."""
    return json.dumps(text, ensure_ascii=False).replace("\x85", "\\N").replace("\u2028", "\\L")


LAYOUTS = {
    "json lines": (json_lines(instruction_turns), lines_of),
    "json array": (json_array(instruction_turns), array_of),
    "xml": (xml_messages("message", "text"), xml_of),
    "yaml": (CORPUS_YAML, yaml_of),
}


@pytest.mark.parametrize("name", LAYOUTS)
@settings(max_examples=examples(25), deadline=None)
@given(records=RECORDS, between=st.sampled_from(["", "\n", " \n  "]), size=st.sampled_from([1, 40, 1000]))
def test_the_record_at_an_address_contains_the_turn(name: str, records: list[Record], between: str, size: int) -> None:
    format_, write = LAYOUTS[name]
    assert isinstance(format_, Format)
    content, written = write(records, between)
    rows = laws.read(format_, content.encode(), shard_bytes=size).rows
    for _, line, _, _, text, reason in rows:
        record = written[line - 1]
        assert (record is None) == (reason == "layout")
        if record is not None:
            assert text in record
    sides = 1 if name == "xml" else 2
    assert sum(1 for row in rows if row[5] != "layout") == sides * sum(1 for record in records if record)
