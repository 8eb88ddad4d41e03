"""Settings of the relatedness of query and answer."""

from __future__ import annotations

from math import isfinite
from typing import Annotated

import msgspec


class RelatednessOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How well an answer fits its query, by which characters occur together in the pairs of the source."""

    #: Drop this share of the pairs that have a score, the least related first, such as 0.25; 0 for none.
    drop_lowest: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    #: Drop pairs with a score below this, such as 0; null for none.
    min: float | None = None
    #: Write the score of each answer to the dialogue store, as the column `relatedness`.
    column: bool = False

    def __post_init__(self) -> None:
        if self.min is not None and not isfinite(self.min):
            raise ValueError(f"min {self.min} is not a number that scores can be compared with; expected one such as 0")
