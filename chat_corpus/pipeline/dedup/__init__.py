"""Find pairs that repeat an earlier pair of the output."""
