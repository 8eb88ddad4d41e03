"""How fast is it, against what, and where does the time go: python -m benchmarks."""
