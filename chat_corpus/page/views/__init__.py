"""The views of a page, each a pure function from its material; None where it has nothing to show."""
