"""The modules that docs/own-code.md shows, written to a folder outside of the repository."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "own-code.md"
_BLOCK = re.compile(r"^```python\n# (my_\w+\.py)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def write_modules(folder: Path, prefix: str) -> None:
    """Write each block of the page to its file. Names begin with `prefix` in place of "my", so that they are unique."""
    for name, text in _BLOCK.findall(PAGE.read_text()):
        (folder / _renamed(name, prefix)).write_text(_renamed(text, prefix))


def _renamed(text: str, prefix: str) -> str:
    return re.sub(r"\bmy_(?=\w)", f"{prefix}_", text)
