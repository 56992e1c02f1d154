"""Tabular benchmarks by name."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from nas.tables.csv_table import Columns
from search_spaces.common.settings import flag_of
from search_spaces.common.suggest import nearest

if TYPE_CHECKING:
    from nas.tables.table import BenchmarkTable

__all__ = ["EXAMPLES", "Columns", "load"]
KINDS = ("nas-bench-macro", "nas-bench-201", "csv")


EXAMPLES = {
    "nas-bench-macro": "nas-bench-macro:nas-bench-macro_cifar10.json",
    "nas-bench-201": "nas-bench-201:cifar100",
    "csv": "csv:table.csv",
}


def load(name: str, columns: Columns | None = None) -> BenchmarkTable:
    """The table `nas-bench-macro:FILE`, `nas-bench-201:DATASET` or `csv:FILE`, whose columns are `columns`.

    Raises ValueError, in one line, for what is not a table.
    """
    from nas.tables import csv_table, nas_bench_201, nas_bench_macro

    kind, _, rest = name.partition(":")
    if kind not in KINDS:
        raise ValueError(f"unknown table '{kind}'{nearest(kind, KINDS)}")
    if not rest:
        raise ValueError(f"table {kind} needs a name after a colon, such as {EXAMPLES[kind]}, got '{name}'")
    if kind == "csv":
        return csv_table.load(rest, columns or Columns())
    if given := [flag_of(field.name) for field in fields(Columns) if _differs(columns, field.name)]:
        raise ValueError(f"{' '.join(given)} is for csv tables, not for {kind}: remove it")
    return nas_bench_macro.load(rest) if kind == "nas-bench-macro" else nas_bench_201.load(rest)


def _differs(columns: Columns | None, name: str) -> bool:
    """Whether a setting differs from its default."""
    return columns is not None and getattr(columns, name) != getattr(Columns(), name)
