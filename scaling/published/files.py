"""Arch files of the papers' scaled networks, so that they can be trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from scaling.published import efficientnetv2
from scaling.published.config import V2
from scaling.published.costs import realise
from scaling.published.efficientnet import ROWS
from search_spaces.networks.arch import Arch


def networks(tables: Sequence[str]) -> dict[str, Arch]:
    """The networks of the tables by name, such as resnet50-d4; of v2 S grown to M and L by each strategy."""
    found = {one.file: one.arch for one in (realise(row) for row in ROWS if str(row.table) in tables)}
    if V2 in tables:
        found |= {
            f"{name}-{strategy}": efficientnetv2.scaled(name, strategy)
            for name in efficientnetv2.PUBLISHED
            for strategy in efficientnetv2.STRATEGIES
        }
    return {name: arch.replace(name=name) for name, arch in found.items()}


def write(folder: str | Path, archs: Mapping[str, Arch]) -> None:
    """Write NAME.json for each; older files of these names are replaced. Raises ValueError if that fails."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, arch in archs.items():
            arch.save(Path(folder) / f"{name}.json")
    except OSError as error:
        raise ValueError(f"cannot write networks to {folder}: {error.strerror}; choose another --out") from None
