"""The family's folder: written whole, in place of an older family."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scaling.coefficients_file import Found
from scaling.family.config import FamilyConfig

if TYPE_CHECKING:
    from scaling.family_members import FamilyMember

FORMAT = "triaxis-family-1"
INDEX = "family.json"


def files(config: FamilyConfig, found: Found, members: Sequence[FamilyMember]) -> dict[str, str]:
    """Text of every file by name: networks, their tables, the family as CSV and JSON."""
    from scaling.family_members import to_csv
    from search_spaces.metrics.tables import stage_table, totals

    content = {f"{member.label}.json": member.arch.to_json() for member in members}
    for member in members:
        content[f"{member.label}.txt"] = f"{stage_table(member.arch)}\n\n{totals(member.arch)}\n"
    content["family.csv"] = to_csv(members)
    index = {
        "format": FORMAT,
        "equal_cost": config.equal_cost,
        "strategy": config.strategy,
        "depth_weights": list(config.way.depth_weights),
        "batch_size": config.batch_size,
        "max_memory_bytes": config.room.limit,
        "origin": json.loads(found.to_json()),
        "members": [member.row() for member in members],
        "files": [*content, INDEX],
    }
    return {**content, INDEX: json.dumps(index, indent=2) + "\n"}


def write(folder: Path, content: Mapping[str, str]) -> None:
    """Put the files into a folder of their own, all or none, in place of an older family.

    Raises ValueError where the folder holds anything that no family has written, or cannot be made.
    """
    folder = folder.resolve()
    _check_replaceable(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
            made, old = Path(scratch) / "new", Path(scratch) / "old"
            made.mkdir()
            for name, text in content.items():
                (made / name).write_text(text)
            _swap(folder, made, old)
    except OSError as error:
        raise ValueError(f"cannot write the family to {folder}: {error.strerror}") from None


def _swap(folder: Path, made: Path, old: Path) -> None:
    if folder.exists():
        folder.rename(old)
    try:
        made.rename(folder)
    except BaseException:
        if old.exists():
            old.rename(folder)
        raise


def _check_replaceable(folder: Path) -> None:
    """Raise ValueError unless the folder is absent, empty or holds a family and nothing else."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ValueError(f"--out {folder} is a file: choose another")
    there = {path.name for path in folder.iterdir()}
    try:
        index = json.loads((folder / INDEX).read_text()) if there else {}
        listed = set(index["files"]) if index.get("format") == FORMAT else set()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        listed = set()
    if foreign := sorted(there - listed):
        raise ValueError(f"--out {folder} holds '{foreign[0]}', which is no family's file: choose another")
