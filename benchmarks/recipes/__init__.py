"""What the parts of the papers' recipes and networks bring: `python -m benchmarks.recipes --study NAME`."""
