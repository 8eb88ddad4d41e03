"""The shape of a sample: rows with their texts before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chat_corpus.messages import Message, message


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleRequest:
    """What to draw: `count` rows in all, from `sources`, or from all without any.

    rejected  rejects in place of rows; `reason` is that of all of them, if it is given
    changed   only rows with a text that cleaning changed
    raw, plugins, places  as for `open_run.load`
    """

    count: int = 20
    sources: tuple[str, ...] = ()
    rejected: bool = False
    reason: str | None = None
    changed: bool = False
    seed: int = 0
    raw: str | None = None
    plugins: tuple[str, ...] = ()
    places: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class SampledText:
    """A text of a row: its `role` in it, the address of its raw record, and the text before and after cleaning.

    `before` is null if the raw record cannot be read again, `after` if the text was rejected.
    """

    role: str
    address: str | None
    before: str | None
    after: str | None

    @property
    def changed(self) -> bool:
        """Whether cleaning changed the text."""
        return self.before is not None and self.before != self.after


@dataclass(frozen=True, kw_only=True, slots=True)
class SampledRow:
    """A row or a reject: its address, which `trace` or `explain` takes, its texts, and for a reject the reason."""

    source: str
    address: str
    texts: tuple[SampledText, ...]
    reason: str | None = None
    message: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Rows in the order of their sources and files; `remarks` say what is missing, and why."""

    rows: tuple[SampledRow, ...]
    remarks: tuple[Message, ...]


def without_rows(request: SampleRequest, available: Mapping[str, int]) -> list[Message]:
    """Return a remark on each source that the user names and that has nothing to draw from."""
    names = [name for name in dict.fromkeys(request.sources) if not available.get(name)]
    return [message("{source}: nothing to draw from", source=name) for name in names]


def allot(count: int, available: Mapping[str, int]) -> dict[str, int]:
    """Spread a number of rows over sources: equal numbers, as far as each has that many.

    >>> allot(7, {"a": 1, "b": 9, "c": 9})
    {'a': 1, 'b': 3, 'c': 3}
    """
    shares: dict[str, int] = {}
    for number, name in enumerate(sorted(available, key=lambda name: available[name])):
        rest = count - sum(shares.values())
        shares[name] = min(available[name], -(-rest // (len(available) - number)))
    return {name: shares[name] for name in available}
