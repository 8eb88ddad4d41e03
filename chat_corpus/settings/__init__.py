"""The settings: their model, how they are loaded from files and flags, and the location of each wrong value."""
