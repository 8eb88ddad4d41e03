"""File layouts, one per module: cut a file into shards, number its records, and read them as turns."""
