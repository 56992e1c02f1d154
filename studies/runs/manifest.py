"""What a run's manifest records about the command, the program and the machine."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from studies.machine import available_cores, processor

# The folder that holds this package: the root of the repository in a checkout.
PROGRAM_FOLDER = Path(__file__).resolve().parents[2]
DISTRIBUTIONS = ("triaxis", "torch", "torchvision", "ray", "optuna", "numpy", "scipy", "fvcore")


def describe_session(command: Sequence[str]) -> dict[str, Any]:
    """Command, folder, process, versions, commit and machine of this process, as JSON values."""
    return {
        "command": shlex.join(command),
        "folder": str(Path.cwd()),
        "pid": os.getpid(),
        "versions": versions(),
        "commit": commit(),
        "machine": {
            "name": platform.node(),
            "system": platform.platform(),
            "processor": processor(),
            "cores": available_cores(),
        },
    }


def versions() -> dict[str, str]:
    """Versions of Python and of those DISTRIBUTIONS that are installed, by name."""
    found = {"python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit(folder: Path = PROGRAM_FOLDER) -> str | None:
    """The commit of a checkout, with "+changes" if files were edited since; None if the folder is no checkout."""
    if not (folder / ".git").exists():
        return None
    head = _git(folder, "rev-parse", "HEAD")
    return head and head + ("+changes" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints; None if git is missing, fails or takes more than 10 seconds."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
