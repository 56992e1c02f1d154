"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from search_spaces.common.files import atomic_write, replacing, write_once


def write_new(path: Path) -> None:
    with replacing(path) as new:
        assert new.parent == path.parent
        new.write_text("new")


def write_half(path: Path) -> None:
    with replacing(path) as new:
        new.write_text("ha")
        raise OSError("the disk is full")


@pytest.mark.parametrize("before", [None, "old, and longer"])
def test_the_new_content_is_whole_and_readable_by_whom_the_umask_allows(tmp_path: Path, before: str | None) -> None:
    path = tmp_path / "file"
    if before is not None:
        path.write_text(before)
    mask = os.umask(0o027)
    try:
        write_new(path)
    finally:
        os.umask(mask)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("before", [None, "old"])
def test_a_writer_that_fails_leaves_everything_as_it_was(tmp_path: Path, before: str | None) -> None:
    path = tmp_path / "file"
    if before is not None:
        path.write_text(before)
    with pytest.raises(OSError, match="full"):
        write_half(path)
    assert [one.read_text() for one in tmp_path.iterdir()] == ([] if before is None else [before])


def test_text_is_utf_8_and_once_is_once(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic_write(path, "größer")
    assert path.read_bytes() == b"gr\xc3\xb6\xc3\x9fer"
    assert not write_once(path, b"other")
    assert path.read_bytes() == b"gr\xc3\xb6\xc3\x9fer"
    assert write_once(tmp_path / "second", b"other")
    assert (tmp_path / "second").read_bytes() == b"other"
