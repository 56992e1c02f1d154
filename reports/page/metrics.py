"""How tables and figures show a metric: name, unit and numbers come from its row."""

from __future__ import annotations

from reports.page.content import Column
from reports.page.values import blank
from search_spaces.common.user_code import is_user_code
from search_spaces.metrics.registry import METRICS, Metric

# Significant digits in tables, and at the marks of an axis.
DIGITS, AXIS_DIGITS = 4, 3


def is_metric(name: str) -> bool:
    """Whether a column has the name of a metric: one of the registry, or a user's own."""
    return name in METRICS or is_user_code(name)


def metric_row(name: str) -> Metric:
    """The metric's row; its name alone for a user's own whose module is not there when the report is made."""
    try:
        return METRICS.row(name)
    except ValueError:
        return Metric(name=name, code=name, label=name)


def metric_column(name: str, *, key: str = "", title: str = "", definition: str = "") -> Column:
    """A column of a metric's values in raw units; `key` of the rows' values, by default the metric's name."""
    row = metric_row(name)
    unit = row.unit if row.quantity == "count" and row.unit != row.label else ""
    show = blank(lambda value: row.format(value, DIGITS))
    return Column(key or name, title or row.label, unit, show, definition or row.source)


def axis_label(name: str) -> str:
    """A metric's name and unit, such as "FLOPs (multiply-adds)"."""
    return metric_row(name).title


def on_axis(name: str, value: float) -> str:
    """A metric's value at a mark of an axis; a fraction as it is."""
    return metric_row(name).format(value, AXIS_DIGITS) if value >= 1 else f"{value:g}"
