"""Does the recipe decide how networks are ranked? `python -m benchmarks.recipe_ranking`."""
