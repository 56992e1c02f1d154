"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def atomic_write(path: str | Path, data: str | bytes) -> None:
    """Write a file: readers, and whoever comes after a crash, see the old content or the new, never a part.

    The new content is on disk before it takes the old one's place; text is UTF-8.
    """
    with _beside(Path(path), data) as new:
        new.replace(path)


def write_once(path: str | Path, data: str | bytes) -> bool:
    """Write a file as `atomic_write` does unless there is one; returns whether it was this call that wrote it."""
    with _beside(Path(path), data) as new:
        try:
            os.link(new, path)
        except FileExistsError:
            return False
    return True


@contextmanager
def _beside(target: Path, data: str | bytes) -> Iterator[Path]:
    """The content in a file of its own in the same folder, on disk; gone afterwards unless it was moved."""
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
