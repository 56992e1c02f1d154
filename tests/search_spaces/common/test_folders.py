"""Folders that are written whole: what a new one replaces, and what is never touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from search_spaces.common.folders import OutputFolder


def folder(path: Path) -> OutputFolder:
    return OutputFolder(path, "made-1", "index.json")


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    out = tmp_path / "a" / "out"
    folder(out).replace({"old.txt": "old", "sub/old.bin": b"old"}, {"name": "first"})
    assert json.loads((out / "index.json").read_text()) == {
        "format": "made-1", "name": "first", "files": ["old.txt", "sub/old.bin", "index.json"],
    }  # fmt: skip
    assert (out / "sub" / "old.bin").read_bytes() == b"old"
    folder(out).replace({"new.txt": "new"}, {})
    assert sorted(path.name for path in out.iterdir()) == ["index.json", "new.txt"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["out"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    folder(tmp_path).check()
    folder(tmp_path / "absent").check()


@pytest.mark.parametrize("foreign", ["notes.txt", "index.json", "sub/notes.txt"])
def test_a_folder_of_something_else_is_not_touched(tmp_path: Path, foreign: str) -> None:
    path = tmp_path / "out" / foreign
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    with pytest.raises(ValueError, match=foreign):
        folder(tmp_path / "out").replace({"new.txt": "new"}, {})
    assert [str(one.relative_to(tmp_path / "out")) for one in (tmp_path / "out").rglob("*.*")] == [foreign]


def test_a_file_beside_an_older_version_is_kept(tmp_path: Path) -> None:
    folder(tmp_path).replace({"made.txt": ""}, {})
    (tmp_path / "weights.bin").write_text("")
    with pytest.raises(ValueError, match=r"weights\.bin"):
        folder(tmp_path).replace({"new.txt": "new"}, {})
    assert (tmp_path / "made.txt").exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(ValueError, match="--out"):
        folder(tmp_path / "out").check()


def test_files_that_cannot_be_written_keep_the_older_version(tmp_path: Path) -> None:
    out = tmp_path / "out"
    folder(out).replace({"old.txt": "old"}, {})
    with pytest.raises(ValueError, match="--out"):
        folder(out).replace({"a/b": "x", "a": "y"}, {})
    assert (out / "old.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_swap_that_fails_keeps_the_older_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    folder(out).replace({"old.txt": "old"}, {})
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        if path.name == "new":
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(ValueError, match="--out"):
        folder(out).replace({"new.txt": "new"}, {})
    assert sorted(path.name for path in out.iterdir()) == ["index.json", "old.txt"]


def test_a_parent_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="--out"):
        folder(tmp_path / "file" / "out").replace({}, {})
