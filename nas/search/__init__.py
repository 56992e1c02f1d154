"""The command `python -m nas.search`: find a baseline network at a target cost."""
