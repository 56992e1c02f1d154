"""The page: its content as values, its style, and how it is rendered."""
