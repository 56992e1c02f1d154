"""The section on a grid of coefficients."""
