"""What lies in the output folder, one schema a module."""
