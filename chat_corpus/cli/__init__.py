"""The command line: a module per command, and what it prints. Results go to stdout, messages to stderr."""
