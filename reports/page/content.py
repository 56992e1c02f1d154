"""What a report is made of: sections of paragraphs, figures and tables, as values. How they look is page.py's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.axes import Axes

Draw = Callable[[Sequence[Axes]], None]
"""Draws a figure's panels; draws nothing that is not in the data it was made with."""
Cell = str | int | float | bool | None


@dataclass(frozen=True)
class Column:
    """A column of a table.

    key         of the rows' values
    title       in the header
    unit        in the header, in brackets; values are shown in it
    show        a raw value as text; empty for None
    definition  what it means, shown on hover and in the glossary
    """

    key: str
    title: str
    unit: str = ""
    show: Callable[[Any], str] = str
    definition: str = ""


@dataclass(frozen=True)
class Table:
    """A table: `name` is its CSV file's stem, `rows` hold raw values (the CSV has these), `marked` rows stand out.

    sortable  whether a click on a header sorts; not for lists of facts, whose order is part of what they say
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Cell]]
    note: str = ""
    marked: Callable[[Mapping[str, Cell]], bool] = lambda _: False
    sortable: bool = True


@dataclass(frozen=True)
class Figure:
    """A figure: `name` is its SVG's and PNG's stem.

    caption  what to see in it, with numbers; alt: the same for those who cannot see it
    draw     gets one Axes for each panel
    panels   (rows, columns); size: (width, height) in inches
    """

    name: str
    title: str
    caption: str
    alt: str
    draw: Draw
    panels: tuple[int, int] = (1, 1)
    size: tuple[float, float] = (7.0, 4.2)


@dataclass(frozen=True)
class Section:
    """A section of the page. All text is plain: it is escaped where it is shown.

    items     paragraphs (str), figures and tables in their order. In all text `backticks` mark code; a paragraph of
              nothing but code is shown as a block to copy
    warnings  lines that a reader must not miss
    missing   lines that say what is not there and which run would supply it
    """

    id: str
    title: str
    items: Sequence[str | Figure | Table] = ()
    warnings: Sequence[str] = ()
    missing: Sequence[str] = ()
    terms: Mapping[str, str] = field(default_factory=dict)
