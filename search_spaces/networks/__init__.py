"""A network as data, as layers and as a torch module."""
