"""The section on a search."""
