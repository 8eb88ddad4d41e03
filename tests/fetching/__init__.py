"""Downloads: the plan, the transfer from servers that fail, and what becomes of the files."""
