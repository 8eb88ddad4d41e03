"""Downloads of corpora from their origins: what to get, the transfer, and the check of what arrived."""
