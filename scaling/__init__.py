"""Growing a baseline into a family of networks."""
