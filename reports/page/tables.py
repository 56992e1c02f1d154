"""Tables as they are shown, and as CSV."""

from __future__ import annotations

import csv
import io
import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass

from reports.page.content import Cell, Column, Table

# Longer tables are folded away; of very long ones the page has the first rows and the CSV file all.
FOLDED_FROM = 31
MAX_ROWS = 500


@dataclass(frozen=True)
class ShownCell:
    """A cell: its text, and the raw value that sorting goes by."""

    text: str
    raw: str


@dataclass(frozen=True)
class ShownRow:
    """A row; `marked` ones stand out."""

    cells: Sequence[ShownCell]
    marked: bool


@dataclass(frozen=True)
class ShownTable:
    """A table ready to be put into a template.

    numeric   for each column, whether it holds numbers: right-aligned, sorted as such
    rows      the first MOST_ROWS
    total     rows there are
    """

    table: Table
    file: str
    numeric: Sequence[bool]
    rows: Sequence[ShownRow]
    total: int

    @property
    def is_folded(self) -> bool:
        """Whether it is folded away at first."""
        return self.total >= FOLDED_FROM

    @property
    def is_cut(self) -> bool:
        """Whether rows are left out."""
        return len(self.rows) < self.total


def shown(table: Table, file: str) -> ShownTable:
    """A table as text; `file` is its CSV file."""
    rows = [
        ShownRow([_cell(column, row.get(column.key)) for column in table.columns], bool(table.marked(row)))
        for row in table.rows[:MAX_ROWS]
    ]
    numeric = [_is_numeric([row.get(column.key) for row in table.rows]) for column in table.columns]
    return ShownTable(table, file, numeric, rows, len(table.rows))


def to_csv(table: Table) -> str:
    """All rows with raw values; what is missing is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.key for column in table.columns])
    for row in table.rows:
        writer.writerow([_raw(row.get(column.key)) for column in table.columns])
    return text.getvalue()


def _cell(column: Column, value: Cell) -> ShownCell:
    if _is_missing(value):
        return ShownCell("", "")
    try:
        return ShownCell(str(column.show(value)), _raw(value))
    except (ValueError, TypeError, OverflowError):  # a broken file's value: shown as it is
        return ShownCell(_raw(value), _raw(value))


def _raw(value: Cell) -> str:
    return "" if _is_missing(value) else str(value)


def _is_missing(value: Cell) -> bool:
    return value is None or (_is_number(value) and math.isnan(value))  # type: ignore[arg-type]


def _is_number(value: Cell) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _is_numeric(values: Sequence[Cell]) -> bool:
    there = [value for value in values if not _is_missing(value)]
    return bool(there) and all(_is_number(value) for value in there)
