"""Run folders read as values."""
