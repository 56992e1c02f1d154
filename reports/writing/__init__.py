"""From sections to files: wording, tables, pictures, the page."""
