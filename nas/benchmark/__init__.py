"""The command `python -m nas.benchmark`: judge samplers on tables of trained networks."""
