"""The command `python -m nas.benchmark`: compare samplers on tables of trained networks."""
