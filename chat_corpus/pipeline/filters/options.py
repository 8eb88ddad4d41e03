"""What a user can ask of turns that are kept."""

from __future__ import annotations

from typing import Annotated

import msgspec


class FilterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a turn must be to be kept."""

    #: Reject a turn when more than this share of its characters is U+FFFD, the mark of a character lost before us.
    max_damaged: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.25
    #: Reject a turn with fewer characters than this.
    min_chars: Annotated[int, msgspec.Meta(ge=1)] = 1
    #: Reject a turn with more characters than this; 0 for no limit.
    max_chars: Annotated[int, msgspec.Meta(ge=0)] = 0

    def __post_init__(self) -> None:
        if 0 < self.max_chars < self.min_chars:
            raise ValueError(f"max_chars {self.max_chars} is less than min_chars {self.min_chars}: no turn is kept")
