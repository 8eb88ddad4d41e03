"""Passes over all pairs of a source, which decide on a pair by what the other pairs are."""
