"""Exports: from dialogue stores to a folder that trainers load."""
