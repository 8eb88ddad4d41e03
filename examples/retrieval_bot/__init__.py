"""The retrieval bot."""
