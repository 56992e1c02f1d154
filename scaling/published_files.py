"""Arch files of the papers' scaled networks, so that they can be trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from scaling import published_v2
from scaling.published_costs import realise
from scaling.published_rows import ROWS
from search_spaces.arch import Arch


def networks(tables: Sequence[int], v2: bool = False) -> dict[str, Arch]:
    """The networks of the tables by name, such as resnet50-d4; with `v2` S grown to M and L by each strategy."""
    found = {one.file: one.arch for one in (realise(row) for row in ROWS if row.table in tables)}
    if v2:
        found |= {
            f"{name}-{strategy}": published_v2.scaled(name, strategy)
            for name in published_v2.PUBLISHED
            for strategy in published_v2.STRATEGIES
        }
    return {name: arch.replace(name=name) for name, arch in found.items()}


def write(folder: str | Path, archs: Mapping[str, Arch]) -> None:
    """Write NAME.json for each; older files of these names are replaced. ValueError where that cannot be done."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, arch in archs.items():
            arch.save(Path(folder) / f"{name}.json")
    except OSError as error:
        raise ValueError(f"cannot write networks to {folder}: {error.strerror}; choose another --out") from None
