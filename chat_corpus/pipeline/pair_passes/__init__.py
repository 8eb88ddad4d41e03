"""Passes over all pairs of a source, which drop pairs because of other pairs."""
