"""The corpora, one a module, each with one `SOURCE`; found by looking, so that a new one edits no list."""
