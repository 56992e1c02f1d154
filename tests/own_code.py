"""The modules that docs/own-code.md shows, written to a folder outside of the repository."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "own-code.md"
_BLOCK = re.compile(r"^```python\n# (my_\w+)\.py\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def write_modules(folder: Path, prefix: str) -> None:
    """Write each block of the page to its file. Names begin with `prefix` in place of "my_", so that they are unique.

    With the prefix "things." the files are modules of the package things.
    """
    for name, text in _BLOCK.findall(PAGE.read_text()):
        path = folder / f"{_renamed(name, prefix).replace('.', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(_renamed(text, prefix))
    if "." in prefix:
        (folder / prefix.partition(".")[0] / "__init__.py").touch()


def _renamed(text: str, prefix: str) -> str:
    return re.sub(r"\bmy_(?=\w)", prefix, text)
