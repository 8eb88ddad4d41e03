"""A run: sources planned, their shards handed out, joined, reported; what an earlier run has done stays."""
