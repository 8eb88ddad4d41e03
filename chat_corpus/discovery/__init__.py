"""Discovery of raw files: which source each file belongs to, and the state of each source."""
