"""A report's folder: written beside its place and renamed, so that nobody sees half of one."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FORMAT = "triaxis-report-1"
MARK = "report.json"


def check(folder: Path) -> None:
    """Raise ValueError, in one line, unless the folder is free, empty or holds a report."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ValueError(f"{folder} is a file: choose another --out")
    if any(folder.iterdir()) and not _is_report(folder):
        raise ValueError(f"{folder} holds something else than a report: choose another --out")


def replace(folder: Path, files: Mapping[str, str | bytes], about: Mapping[str, Any]) -> None:
    """Make the folder hold these files (relative names) and nothing else; `about` goes into report.json.

    Raises ValueError as `check`, or where the folder cannot be written; an earlier report stays then.
    """
    check(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise ValueError(f"cannot write {folder}: {error.strerror}; choose another --out") from None
    try:
        new.chmod(0o755)
        mark = json.dumps({"format": FORMAT, **about}, indent=2) + "\n"
        for name, content in {**files, MARK: mark}.items():
            target = new / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        _swap(new, folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _swap(new: Path, folder: Path) -> None:
    """Put `new` in the folder's place; what was there goes to where `new` was."""
    if not folder.exists():
        new.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        folder.rename(old)
        new.rename(folder)
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _is_report(folder: Path) -> bool:
    try:
        mark = json.loads((folder / MARK).read_text())
    except (OSError, ValueError):
        return False
    return isinstance(mark, dict) and mark.get("format") == FORMAT
