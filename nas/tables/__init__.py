"""Tabular benchmarks: spaces in which every network was trained before."""
