"""The command `python -m scaling.grid`: find alpha, beta and gamma for the images at hand."""
