"""The section with class activation maps."""
