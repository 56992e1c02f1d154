"""Objectives: what a search maximises, from a quality and metrics."""
