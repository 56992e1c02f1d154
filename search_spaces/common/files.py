"""Atomic writing of files: no reader ever sees a partly written file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary file in the same folder, for a writer that takes a path. After the block it replaces `path`.

    At any time, also after a crash, `path` holds the whole old or the whole new content: the new content is synced to
    disk first. If the block raises, `path` stays as it was.
    """
    with _beside(Path(path)) as new:
        yield new
        _sync(new)
        new.replace(path)


def atomic_write(path: str | Path, data: str | bytes) -> None:
    """Write a file atomically (see `replacing`). Text is written as UTF-8."""
    with replacing(path) as new:
        new.write_bytes(_as_bytes(data))


def write_once(path: str | Path, data: str | bytes) -> bool:
    """Write a file as `atomic_write` does if it does not exist. Returns whether this call wrote it."""
    with _beside(Path(path)) as new:
        new.write_bytes(_as_bytes(data))
        _sync(new)
        try:
            os.link(new, path)
        except FileExistsError:
            return False
    return True


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """An empty temporary file in the same folder. It is removed afterwards if it was not moved."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    try:
        Path(name).chmod(0o666 & ~_umask())
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _as_bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
