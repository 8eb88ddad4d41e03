"""Damaged corpora without end: `python -m tests.fuzz` holds the pipeline to its laws."""
