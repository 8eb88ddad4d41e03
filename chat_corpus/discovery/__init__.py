"""What lies in the raw folder: which file is whose, and in which state each source is."""
