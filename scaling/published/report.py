"""What the command prints: published and realised costs side by side, with a note for each that differs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from scaling.published.config import V2
from scaling.published.costs import Realised, explain, realise
from scaling.published.efficientnet import ROWS
from scaling.published.efficientnetv2 import side_by_side
from search_spaces.common.text import align_columns
from search_spaces.common.units import format_count
from search_spaces.metrics.counts import CONVENTION, cost

WIDTH = 120
HEADER = ("network", "d", "w", "r", "px", "params", "FLOPs", "published", "difference", "top-1 %", "")


def describe(tables: Sequence[str]) -> str:
    """The tables as text, with a note for each figure that differs."""
    parts = [_table(int(name)) for name in tables if name != V2]
    if parts:
        parts.append("Published FLOPs are billions with one digit; a difference without a note lies within that digit.")
    if V2 in tables:
        parts.append(side_by_side())
    return "\n\n".join((*parts, CONVENTION))


def describe_files(out: str, names: Iterable[str]) -> str:
    """The arch files that were written."""
    text = f"networks in {out}: " + " ".join(f"{name}.json" for name in names)
    return textwrap.fill(text, WIDTH, break_on_hyphens=False, break_long_words=False)


def _table(number: int) -> str:
    found = [realise(row) for row in ROWS if row.table == number]
    notes = [explain(one, found) for one in found]
    listed = [note for note in notes if note]
    marks = [f"[{listed.index(note) + 1}]" if note else "" for note in notes]
    rows = align_columns(HEADER, map(_cells, found, marks), left=HEADER[:1])
    title = f"EN, Table {number}: networks scaled by one dimension and by all"
    return "\n".join((title, "", rows, "", *map(_note, range(1, 1 + len(listed)), listed)))


def _cells(one: Realised, mark: str) -> tuple[str, ...]:
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


def _note(number: int, note: str) -> str:
    return textwrap.fill(f"[{number}] {note}.", WIDTH, subsequent_indent="    ")
