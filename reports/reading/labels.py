"""Names of runs as people and files tell them apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reports.reading.runs import RunData


def labels(runs: Sequence[RunData]) -> list[str]:
    """A name for each run: its folder's, or, where two folders are called the same, the whole path."""
    names = [run.name for run in runs]
    return [name if names.count(name) == 1 else str(run.folder) for name, run in zip(names, runs, strict=True)]


def stems(base: str, runs: Sequence[RunData]) -> list[str]:
    """A file stem for each run's figure or table: `base` alone for a single run, else with the run's name."""
    if len(runs) == 1:
        return [base]
    found: list[str] = []
    for index, label in enumerate(labels(runs), 1):
        stem = f"{base}-{re.sub(r'[^A-Za-z0-9]+', '-', label).strip('-')}"
        found.append(f"{stem}-{index}" if stem in found else stem)
    return found
