"""The examples, end to end in miniature."""
