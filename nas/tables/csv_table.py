"""A table from a CSV file: columns of choices, of what was measured, and of costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nas.tables.table import Table
from search_spaces.naming import nearest
from search_spaces.spaces import Ints

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Columns:
    """What a CSV file's columns are.

    measured   one or several repetitions of what is to be maximised; an empty cell is a repetition that was not made
    choices    the choices; empty is every other column
    macs       multiply-adds of the network; empty is none
    params     its parameters; empty is none
    minimize   whether lower is better
    """

    measured: tuple[str, ...] = ("accuracy",)
    choices: tuple[str, ...] = ()
    macs: str = ""
    params: str = ""
    minimize: bool = False


def load(path: str, columns: Columns) -> Table:
    """The table of a CSV file with one row for each combination of the choices' values, in any order.

    Raises ValueError for a column that is not there or has two parts, for rows that are missing, there twice or not
    finite, and for costs that are not whole.
    """
    frame = _read(path)
    names = columns.choices or _others(frame, columns)
    _check_columns(frame, columns, names, path)
    values = {name: tuple(_plain(value) for value in frame[name].unique()) for name in names}
    order = _order(frame, values, path)
    measured = _measured(frame, columns, path)[order]
    macs, params = (_whole(frame, name, path, order) for name in (columns.macs, columns.params))
    return Table(f"csv:{path}", values, np.arange(len(frame)), measured, macs, params, unit=" ".join(columns.measured))


def _read(path: str) -> pd.DataFrame:
    import pandas as pd

    try:
        # Nothing but an empty cell is missing: "None" and "NA" are fine names of an operator.
        frame = pd.read_csv(path, keep_default_na=False, na_values=[""])
    except OSError as error:
        raise ValueError(f"cannot read table {path}: {error.strerror}") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"table {path} is no CSV: {error}") from None
    if frame.empty:
        raise ValueError(f"table {path} has no rows")
    return frame


def _others(frame: pd.DataFrame, columns: Columns) -> tuple[str, ...]:
    taken = {*columns.measured, columns.macs, columns.params}
    return tuple(name for name in map(str, frame.columns) if name not in taken)


def _check_columns(frame: pd.DataFrame, columns: Columns, names: Sequence[str], path: str) -> None:
    if not columns.measured:
        raise ValueError("--measured needs at least one column")
    used = [*columns.measured, *names, *filter(None, (columns.macs, columns.params))]
    for name in used:
        if name not in frame.columns:
            raise ValueError(f"table {path} has no column '{name}'{nearest(name, list(frame.columns))}")
        if used.count(name) > 1:
            raise ValueError(f"column '{name}' of {path} is named twice: it can be one thing only")
    if not names:
        raise ValueError(f"table {path} has no column left for choices")
    for name in names:
        if frame[name].isna().any():
            raise ValueError(f"column '{name}' of {path} has a hole in line {_line(frame[name].isna())}: fill it")


def _order(frame: pd.DataFrame, values: dict[str, tuple[Any, ...]], path: str) -> Ints:
    """The rows in the order of the encodings."""
    if (again := frame.duplicated(list(values))).any():
        raise ValueError(f"table {path} has the choices of line {_line(again)} twice: make repetitions columns")
    radices = tuple(len(options) for options in values.values())
    if (size := math.prod(radices)) != len(frame):
        raise ValueError(
            f"table {path} has {len(frame)} rows for {size} combinations of {', '.join(values)}: each needs one"
        )
    columns = [frame[name].map({value: place for place, value in enumerate(values[name])}) for name in values]
    positions = np.ravel_multi_index(tuple(column.to_numpy(dtype=np.int64) for column in columns), radices)
    return np.argsort(positions)


def _measured(frame: pd.DataFrame, columns: Columns, path: str) -> Any:
    """[rows, repetitions], those that were made first."""
    found = np.stack([_numbers(frame, name, path) for name in columns.measured], axis=1)
    if (wrong := np.isinf(found).any(axis=1) | np.isnan(found).all(axis=1)).any():
        raise ValueError(f"line {_line(wrong)} of {path} needs a finite {' or '.join(columns.measured)}")
    order = np.argsort(np.isnan(found), axis=1, kind="stable")
    return np.take_along_axis(-found if columns.minimize else found, order, axis=1)


def _whole(frame: pd.DataFrame, name: str, path: str, order: Ints) -> Ints | None:
    if not name:
        return None
    numbers = _numbers(frame, name, path)
    wrong = ~np.isfinite(numbers) | (numbers <= 0) | (numbers != np.round(numbers))
    if wrong.any():
        raise ValueError(f"column '{name}' of {path} must be whole and above 0, line {_line(wrong)} is not")
    return np.asarray(numbers[order], dtype=np.int64)


def _numbers(frame: pd.DataFrame, name: str, path: str) -> Any:
    import pandas as pd

    numbers = pd.to_numeric(frame[name], errors="coerce")
    if (wrong := (numbers.isna() & frame[name].notna())).any():
        line = _line(wrong)
        raise ValueError(f"column '{name}' of {path} must be numbers, line {line} has {frame[name][line - 2]!r}")
    return numbers.to_numpy(dtype=np.float64)


def _line(wrong: Any) -> int:
    """The line of the file with the first row that is wrong; the head is line 1."""
    return int(np.argmax(np.asarray(wrong))) + 2


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
