"""Lineage: where output rows came from, what became of raw records, and how two outputs differ."""
