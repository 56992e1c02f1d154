"""The section on the family of networks."""
