"""Requests for samples, and samples: rows with their texts before and after cleaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chat_corpus.messages import Message, message


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleRequest:
    """What to draw.

    count     number of rows in all
    sources   names of the sources to draw from; all sources if it is empty
    rejected  whether to draw rejects instead of rows
    reason    the reason of all rejects to draw; None for any
    changed   whether to draw only rows with a text that cleaning changed
    seed      number of the sample: a different seed gives a different one
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
    """A text of a row, before and after cleaning.

    role     role in the row, such as `query`; `raw` for a reject
    address  address of the raw record; None if it is not known
    before   None if the raw record cannot be read again
    after    None if the text was rejected
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
    """A row or a reject, which has a reason. The commands `trace` and `explain` take the address."""

    source: str
    address: str
    texts: tuple[SampledText, ...]
    reason: str | None = None
    message: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Rows in the order of sources and files; `remarks` describe what is missing, and why."""

    rows: tuple[SampledRow, ...]
    remarks: tuple[Message, ...]


def without_rows(request: SampleRequest, available: Mapping[str, int]) -> list[Message]:
    """Return a remark for each source that the user names and that has nothing to draw from."""
    names = [name for name in dict.fromkeys(request.sources) if not available.get(name)]
    return [message("{source}: nothing to draw from", source=name) for name in names]


def allot(count: int, available: Mapping[str, int]) -> dict[str, int]:
    """Return the number of rows to draw from each source: equal numbers, or all rows of sources with fewer.

    >>> allot(7, {"a": 1, "b": 9, "c": 9})
    {'a': 1, 'b': 3, 'c': 3}
    """
    shares: dict[str, int] = {}
    for number, name in enumerate(sorted(available, key=lambda name: available[name])):
        rest = count - sum(shares.values())
        shares[name] = min(available[name], -(-rest // (len(available) - number)))
    return {name: shares[name] for name in available}
