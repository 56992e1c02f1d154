"""The command `python -m scaling.family`: grow a baseline into a family of networks."""
