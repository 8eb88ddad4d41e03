"""Statistics of the pairs that a run wrote: exact, mergeable, and described in docs/outputs.md."""
