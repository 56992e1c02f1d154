"""What a run's manifest says about the program, the machine and the command."""

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

DISTRIBUTIONS = ("triaxis", "torch", "torchvision", "ray", "optuna", "numpy", "scipy", "fvcore")


def describe_session(command: Sequence[str]) -> dict[str, Any]:
    """Plain JSON values: command, versions, commit, machine."""
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
    """Versions of Python and of the packages that matter; those not installed are left out."""
    found = {"python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """The commit this code was checked out from, with "+changes" if it was edited since; None outside a checkout."""
    here = Path(__file__).resolve().parent.parent
    if not (here / ".git").exists():
        return None
    head = _git(here, "rev-parse", "HEAD")
    return head and head + ("+changes" if _git(here, "status", "--porcelain", "--untracked-files=no") else "")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
