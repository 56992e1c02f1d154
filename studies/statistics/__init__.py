"""Confidence intervals, comparisons, and multiple comparisons with the best."""
