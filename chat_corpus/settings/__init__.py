"""All that a user can set: the model, files and flags, and the line of each fault."""
