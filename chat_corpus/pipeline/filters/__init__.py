"""Filters: they reject turns, dialogues and pairs, each with a reason, and mask personal data."""
