"""The column `relatedness` of the Parquet files of an export. It is optional: see the settings of the export."""

from __future__ import annotations

import polars as pl

from chat_corpus.exports.manifest import ExportSummary

#: How well the answers of a record fit their queries: the mean of the scores of `pair_passes.relatedness`, or null for
#: a record without scores. Formats other than Parquet do not have this column.
RELATEDNESS = "relatedness"
RELATEDNESS_TYPE = pl.Float32()


def has_relatedness(summary: ExportSummary) -> bool:
    """Return whether the Parquet files of an export have the column."""
    section = summary.settings.get("export")
    return isinstance(section, dict) and section.get(RELATEDNESS) is True
