"""The command line. Most commands have a module, and a second one for their output."""
