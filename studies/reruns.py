"""Commands that are given again: what a finished run said, and the folder to go on in."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from studies.runs import CONFIG, Existing, Run, Status, read_manifest

REPORT, LEDGER = "result.txt", "ledger.db"


def finished_report(
    folder: str | Path, asked: Mapping[str, Any], *, free: Collection[str], size: Collection[str]
) -> str | None:
    """What a finished run with these settings, or a greater one, said; None where there is something to do.

    `free` are settings that may differ, `size` those of which the run may have more. Raises ValueError where the
    run's configuration cannot be read.
    """
    path = Path(folder)
    if not (path / REPORT).exists() or not (path / CONFIG).exists():
        return None
    if read_manifest(path)["status"] != Status.FINISHED:
        return None
    try:
        there = yaml.safe_load((path / CONFIG).read_text())
    except yaml.YAMLError as error:
        raise ValueError(f"cannot read {path / CONFIG}: {error}; --new begins anew") from None
    if not isinstance(there, dict) or not _covers(there, asked, free, size):
        return None
    return (
        f"{(path / REPORT).read_text()}\nThis run was finished before; nothing was trained now. --new begins anew "
        "(the old run is kept under another name)"
    )


def check_ledger(folder: str | Path, *, new: bool, storage: str | None = None) -> None:
    """Raise ValueError for a ledger that is no ledger, before the run folder is touched."""
    from studies.storage import open_storage, sqlite_url

    ledger = Path(folder) / LEDGER
    if storage or (ledger.exists() and not new):
        _, close = open_storage(storage or sqlite_url(ledger))
        close()


def open_run(
    folder: str | Path, settings: Mapping[str, Any], module: str, *, seed: int, new: bool, free: Collection[str]
) -> Run:
    """The run's folder, locked: a new one, or one to go on in. `module` is the command, such as nas.search."""
    return Run.open(
        folder,
        settings,
        command=[sys.executable, "-m", module, *(_hidden(word) for word in sys.argv[1:])],
        seed=seed,
        existing=Existing.ANEW if new else Existing.CONTINUE,
        free=free,
    )


def _covers(there: Mapping[str, Any], asked: Mapping[str, Any], free: Collection[str], size: Collection[str]) -> bool:
    """Whether a run with the settings `there` has all that is asked for."""
    enough = all(there.get(name, 0) >= asked[name] for name in size)
    return enough and all(there.get(name) == value for name, value in asked.items() if name not in {*free, *size})


def _hidden(word: str) -> str:
    """A word of the command line without a database's password."""
    return re.sub(r"(://[^:/@]*):[^/@]*@", r"\1:***@", word)
