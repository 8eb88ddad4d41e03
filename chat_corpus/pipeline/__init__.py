"""A shard of raw records to pairs: text, script, filters, pairing, and the accounts that must balance."""
