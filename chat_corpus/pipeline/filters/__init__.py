"""Which turns are not kept, and why."""
