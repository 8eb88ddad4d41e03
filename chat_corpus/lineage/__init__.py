"""Where the rows of an output came from, what became of raw records, and why two outputs are not the same."""
