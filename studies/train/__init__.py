"""The command `python -m studies.train`: train one network."""
