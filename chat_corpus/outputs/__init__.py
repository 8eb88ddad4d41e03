"""The files of the output folder, one schema per module."""
