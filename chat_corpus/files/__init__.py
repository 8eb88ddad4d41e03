"""Bytes on disk: raw files, plain, packed or in an archive, the encodings that they are in, and files written whole."""
