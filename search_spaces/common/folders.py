"""Output folders that are written atomically: a command replaces all files of its earlier version, or none."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class OutputFolder:
    """A folder of generated files.

    path    its path
    format  the "format" entry of its index, such as "triaxis-family-1"
    index   name of the JSON file that lists the folder's files under "files"
    flag    the flag that errors name
    """

    path: Path
    format: str
    index: str
    flag: str = "--out"

    def check(self) -> None:
        """Raise ValueError unless the folder is absent, empty, or holds nothing but files listed in its index."""
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise ValueError(f"{self.flag} {self.path} is a file: choose another folder")
        present = {str(path.relative_to(self.path)) for path in self.path.rglob("*") if not path.is_dir()}
        if foreign := sorted(present - self._listed()):
            raise ValueError(
                f"{self.flag} {self.path} holds '{foreign[0]}', which this command did not write: choose another folder"
            )

    def replace(self, files: Mapping[str, str | bytes], about: Mapping[str, Any]) -> None:
        """Write files (by relative name) and the index, with `about` in it, replacing an earlier version.

        Raises ValueError as `check` does, or if the folder cannot be written; an earlier version then stays.
        """
        self.check()
        index = {"format": self.format, **about, "files": [*files, self.index]}
        content = {**files, self.index: json.dumps(index, indent=2) + "\n"}
        path = self.path.resolve()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as scratch:
                _write(Path(scratch) / "new", content)
                _swap(path, Path(scratch) / "new", Path(scratch) / "old")
        except OSError as error:
            raise ValueError(f"cannot write to {self.flag} {self.path}: {error.strerror}; choose another") from None

    def _listed(self) -> set[str]:
        try:
            index = json.loads((self.path / self.index).read_text())
            return set(index["files"]) if index.get("format") == self.format else set()
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return set()


def _write(folder: Path, content: Mapping[str, str | bytes]) -> None:
    folder.mkdir()
    for name, data in content.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data.encode() if isinstance(data, str) else data)


def _swap(folder: Path, new: Path, old: Path) -> None:
    """Move `folder` to `old` and `new` to `folder`. If the second move fails, undo the first."""
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        if old.exists():
            old.rename(folder)
        raise
