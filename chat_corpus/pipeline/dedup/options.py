"""What a user can set of duplicates."""

from __future__ import annotations

from typing import Literal

import msgspec

When = Literal["source", "always", "never"]


class DedupOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which duplicates are written once."""

    #: Write the same pair once: always, never, or where a source's files overlap (source: PTT's two releases).
    exact: When = "source"
