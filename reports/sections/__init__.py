"""Sections: from runs to paragraphs, figures and tables."""
