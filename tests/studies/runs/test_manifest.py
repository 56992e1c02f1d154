"""What a manifest records about the program."""

from __future__ import annotations

import json
import platform
import subprocess
from pathlib import Path

import pytest

from studies.runs.manifest import commit, describe_session, versions

ROOT = Path(__file__).resolve().parents[3]


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    done = subprocess.run(["git", "-C", str(folder), *identity, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_commit_of_this_program_is_that_of_its_checkout() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("NOT RUN: this is no checkout")
    assert (commit() or "").removesuffix("+changes") == git(ROOT, "rev-parse", "HEAD")


def test_edited_files_are_marked(tmp_path: Path) -> None:
    assert commit(tmp_path) is None
    git(tmp_path, "init", "-q")
    assert commit(tmp_path) is None  # nothing was committed
    (tmp_path / "a.py").write_text("1\n")
    git(tmp_path, "add", "a.py")
    git(tmp_path, "commit", "-q", "-m", "One")
    head = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "untracked.py").write_text("")
    assert commit(tmp_path) == head
    (tmp_path / "a.py").write_text("2\n")
    assert commit(tmp_path) == f"{head}+changes"


def test_a_session_is_json_with_the_command_as_typed() -> None:
    session = json.loads(json.dumps(describe_session(["python", "-m", "nas.search", "--run", "a b"])))
    assert session["command"] == "python -m nas.search --run 'a b'"
    assert session["folder"] == str(Path.cwd())
    assert session["versions"] == versions()
    assert session["versions"]["python"] == platform.python_version()
