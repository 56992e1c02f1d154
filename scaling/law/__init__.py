"""Accuracy as a function of depth, width and resolution, fitted to what was measured."""
