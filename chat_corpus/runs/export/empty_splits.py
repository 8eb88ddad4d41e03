"""Warn about splits that were requested and have no records: `data["validation"]` would raise KeyError for the user."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from chat_corpus.exports.manifest import ExportSummary
from chat_corpus.exports.splits import SplitOptions
from chat_corpus.exports.splitting import SPLITS
from chat_corpus.messages import Message, count_noun, message

#: A share that is large enough for little data.
_LARGE = 0.1

_log = logging.getLogger(__name__)


def warn_of_empty_splits(summary: ExportSummary, options: SplitOptions, groups: Callable[[], int]) -> None:
    """Log a warning for each requested split without records. `groups` counts the content groups of all records."""
    rows = summary.splits()
    if any(split not in rows for split in SPLITS if split == "train" or getattr(options, split)):
        for text in empty_splits(rows, options, groups()):
            _log.warning("%s", text, extra={"event": "export.split"})


def empty_splits(rows: dict[str, int], options: SplitOptions, groups: int) -> Iterator[Message]:
    """Yield a message for each split with a share and without rows. `rows` has the rows of the others by split.

    >>> next(empty_splits({"train": 9}, SplitOptions(test=0.2), 3))
    'test has no records: a share of 0.2 of 3 groups of dialogues (9 records); use a larger share, or more data'
    """
    counts = {"groups": count_noun(groups, "group"), "records": count_noun(sum(rows.values()), "record", "export")}
    if "train" not in rows:
        yield message(
            "train has no records: test, validation and records held back leave none of {groups} of dialogues; use "
            "smaller shares, or more data",
            groups=counts["groups"],
        )
    for split in ("validation", "test"):
        share: float = getattr(options, split)
        if split in rows or not share:
            continue
        if share < _LARGE:
            yield message(
                "{split} has no records: a share of {share:g} of {groups} of dialogues ({records}); use a larger "
                "share, such as {split}={larger:g}, or more data",
                split=split,
                share=share,
                larger=_LARGE,
                **counts,
            )
        else:
            yield message(
                "{split} has no records: a share of {share:g} of {groups} of dialogues ({records}); use a larger "
                "share, or more data",
                split=split,
                share=share,
                **counts,
            )
