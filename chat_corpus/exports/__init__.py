"""Exports: records for training made from turns, the formats of their files, and the check of an export."""
