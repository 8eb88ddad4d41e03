"""Download corpora from their origins: the plan, the transfer, and the check of the files."""
