"""Examples of what to do with outputs and exports; each folder has its README."""
