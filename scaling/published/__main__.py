"""Set the papers' scaled networks beside ours: `python -m scaling.published` (EN, Tables 3 and 7; V2)."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scaling.published import efficientnet
from search_spaces.common import cli

if TYPE_CHECKING:
    from scaling.published.costs import Realised

DESCRIPTION = (
    "Print the networks that EfficientNet's paper scaled by depth, width, resolution and all three (Tables 3 and 7): "
    "what they cost as we scale them, what the paper prints, what may explain a difference. Then V2-M and L "
    "beside S scaled to them. FLOPs are multiply-adds."
)
V2 = "v2"
TABLES = (*map(str, efficientnet.TABLES), V2)
_WIDTH = 120
_HEADER = ("network", "d", "w", "r", "px", "params", "FLOPs", "published", "difference", "top-1 %", "")


@dataclass(frozen=True)
class PublishedConfig:
    """The tables to print.

    Attributes:
        tables: Tables of EfficientNet's paper, 3 (MobileNetV1, MobileNetV2, ResNet-50) and 7 (EfficientNet-B0), and v2
            (EfficientNetV2-S to M and L).
        out: Folder to write the scaled networks of these tables into, each as an arch file that studies.train --arch
            takes; none unless given.

    """

    tables: tuple[int | str, ...] = TABLES
    out: str | None = None

    def __post_init__(self) -> None:
        given = [str(table) for table in self.tables]
        if not given or not set(given) <= set(TABLES):
            raise ValueError(f"--tables must be among {' '.join(TABLES)}, got {' '.join(given) or 'none'}")


def main(argv: Sequence[str]) -> int:
    """Run the command. Raises ValueError for a user's mistake."""
    config = cli.parse(PublishedConfig, argv, prog="python -m scaling.published", description=DESCRIPTION)
    tables = [str(table) for table in config.tables]
    said = describe(tables)
    if config.out:
        said += f"\n\n{_written(tables, config.out)}"
    print(said)
    return 0


def describe(tables: Sequence[str]) -> str:
    """The tables as text, with a note for each figure that differs."""
    from scaling.published.efficientnetv2 import side_by_side
    from search_spaces.metrics.counts import CONVENTION

    parts = [_table(int(name)) for name in dict.fromkeys(tables) if name != V2]
    if parts:
        parts.append("Published FLOPs are billions with one digit; a difference without a note lies within that digit.")
    if V2 in tables:
        parts.append(side_by_side())
    return "\n\n".join((*parts, CONVENTION))


def _written(tables: Sequence[str], out: str) -> str:
    """Write the networks; which they are, in a line."""
    from scaling.published.files import networks, write

    archs = networks([int(name) for name in tables if name != V2], V2 in tables)
    write(out, archs)
    text = f"networks in {out}: " + " ".join(f"{name}.json" for name in archs)
    return textwrap.fill(text, _WIDTH, break_on_hyphens=False, break_long_words=False)


def _table(number: int) -> str:
    from scaling.published.costs import explain, realise
    from scaling.published.efficientnet import ROWS
    from search_spaces.common.text import align_columns

    found = [realise(row) for row in ROWS if row.table == number]
    notes = [explain(one, found) for one in found]
    listed = [note for note in notes if note]
    marks = [f"[{listed.index(note) + 1}]" if note else "" for note in notes]
    rows = align_columns(_HEADER, map(_cells, found, marks), left=_HEADER[:1])
    title = f"EN, Table {number}: networks scaled by one dimension and by all"
    return "\n".join((title, "", rows, "", *map(_listed, range(1, 1 + len(listed)), listed)))


def _cells(one: Realised, mark: str) -> tuple[str, ...]:
    from search_spaces.common.units import format_count
    from search_spaces.metrics.counts import cost

    asked = one.row.multipliers
    return (
        one.row.baseline,
        *(f"{value:g}" for value in (asked.depth, asked.width, asked.resolution)),
        str(one.arch.resolution),
        format_count(cost(one.arch).params, 4),
        format_count(one.macs, 4),
        format_count(one.row.macs),
        f"{one.difference:+.1%}",
        f"{one.row.top1:.1f}",
        mark,
    )


def _listed(place: int, note: str) -> str:
    return textwrap.fill(f"[{place}] {note}.", _WIDTH, subsequent_indent="    ")


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
