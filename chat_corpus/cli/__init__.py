"""The command line: a command a module, and what a person reads. stdout is data, stderr is talk."""
