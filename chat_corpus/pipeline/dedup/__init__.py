"""Which pairs stand earlier in the output."""
