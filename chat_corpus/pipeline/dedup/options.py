"""Settings of duplicates, and of repeated queries and answers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

When = Literal["source", "always", "never"]
Ignoring = Literal["nothing", "punctuation"]

#: Minimum of `near`: below it, texts share so little that the search would compare nearly all pairs.
LEAST_NEAR = 0.5


class DedupOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which duplicates are written once, and how often a query or an answer may be repeated."""

    #: Write the same pair once: always, never, or where a source's files overlap (source: PTT's two releases).
    exact: When = "source"
    #: What may differ between texts that count as the same, in all settings of this section but `near`. punctuation:
    #: case, width, punctuation and blanks.
    ignoring: Ignoring = "nothing"
    #: Write a dialogue once: drop the pairs of a dialogue with the same pairs, in the same order, as an earlier one.
    dialogues: bool = False
    #: Drop a pair if query and answer both resemble those of an earlier pair: the least Jaccard similarity of their
    #: character bigrams, from 0.5 to 1, such as 0.8; 0 for off.
    near: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    #: The most pairs with the same query; later ones are dropped; 0 for no limit.
    answers_per_query: Annotated[int, msgspec.Meta(ge=0)] = 0
    #: The most pairs with the same answer; later ones are dropped; 0 for no limit.
    queries_per_answer: Annotated[int, msgspec.Meta(ge=0)] = 0

    def __post_init__(self) -> None:
        if 0 < self.near < LEAST_NEAR:
            raise ValueError(f"near {self.near} is less than {LEAST_NEAR}; expected 0 for off, or {LEAST_NEAR} to 1")
