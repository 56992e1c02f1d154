"""Atomic writing of files: no reader ever sees a partly written file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def atomic_write(path: str | Path, data: str | bytes) -> None:
    """Write a file atomically: at any time, also after a crash, it holds the whole old or the whole new content.

    The new content is synced to disk before it replaces the old. Text is written as UTF-8.
    """
    with _beside(Path(path), data) as new:
        new.replace(path)


def write_once(path: str | Path, data: str | bytes) -> bool:
    """Write a file as `atomic_write` does if it does not exist. Returns whether this call wrote it."""
    with _beside(Path(path), data) as new:
        try:
            os.link(new, path)
        except FileExistsError:
            return False
    return True


@contextmanager
def _beside(target: Path, data: str | bytes) -> Iterator[Path]:
    """A temporary file with the content in the same folder, synced to disk. It is removed afterwards if not moved."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o666 & ~_umask())
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
