"""The summary at the top of the page."""
