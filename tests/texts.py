"""The values in texts for people, so that tests need not repeat their wording."""

from __future__ import annotations

import re


def values(text: str) -> list[str]:
    """The flags and numbers in a text, in its order: ["2", "--workers"] for "use 2 of --workers"."""
    return re.findall(r"--[a-z][\w.-]*\w|(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?", text)
