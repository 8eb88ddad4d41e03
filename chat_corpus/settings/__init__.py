"""The settings: their model, their configuration files and flags, and the line of each wrong value."""
