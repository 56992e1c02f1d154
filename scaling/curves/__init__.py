"""The command `python -m scaling.curves`: compare ways to grow a baseline at equal cost."""
