"""Files on disk: raw files (plain, compressed, in archives), their encodings, and atomic writing."""
