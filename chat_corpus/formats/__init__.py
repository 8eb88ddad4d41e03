"""File layouts, one a module: how a file is cut into shards, numbered, and read as turns."""
