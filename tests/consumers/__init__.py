"""Exports in the hands of real trainers: `python -m tests.consumers`."""
