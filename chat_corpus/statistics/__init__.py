"""Statistics of the turns and pairs of a run or an export: exact and mergeable. docs/outputs.md describes them."""
