"""Lineage of outputs: the origin of their rows, the fate of raw records, and the differences of two outputs."""
