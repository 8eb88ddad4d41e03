"""The views of a page. Each is a pure function of its material; the result is None if there is nothing to show."""
