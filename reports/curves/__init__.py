"""The section on scaling curves."""
