"""The files of a family: networks, their tables, the family as CSV and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling.coefficients_file import Found
from scaling.family.config import FamilyConfig
from search_spaces.common.csv_text import csv_text
from search_spaces.common.folders import OutputFolder

if TYPE_CHECKING:
    from scaling.family_members import FamilyMember

INDEX = "family.json"


def output_folder(path: str | Path) -> OutputFolder:
    """The folder of a family."""
    return OutputFolder(Path(path), "triaxis-family-1", INDEX)


def files(members: Sequence[FamilyMember]) -> dict[str, str]:
    """The text of every file but the index, by name."""
    from search_spaces.metrics.tables import stage_table, totals

    content = {f"{member.label}.json": member.arch.to_json() for member in members}
    for member in members:
        content[f"{member.label}.txt"] = f"{stage_table(member.arch)}\n\n{totals(member.arch)}\n"
    return {**content, "family.csv": csv_text([member.row() for member in members])}


def about(config: FamilyConfig, found: Found, members: Sequence[FamilyMember]) -> dict[str, Any]:
    """What the index holds besides the files' names: how the family was made, and every member."""
    return {
        "equal_cost": config.equal_cost,
        "strategy": config.strategy,
        "depth_weights": list(config.scaling_strategy.depth_weights),
        "batch_size": config.batch_size,
        "max_memory_bytes": config.memory.limit,
        "origin": json.loads(found.to_json()),
        "members": [member.row() for member in members],
    }
