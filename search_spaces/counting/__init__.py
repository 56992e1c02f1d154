"""Exact counts of a cost band, and uniform samples from it."""
