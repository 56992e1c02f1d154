"""Showing what runs found. Reads results only; trains nothing."""
