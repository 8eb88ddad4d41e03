"""Scripts that run in the environment of a trainer, and import nothing of this project but `common`."""
