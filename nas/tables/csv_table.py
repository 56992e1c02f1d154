"""A table from a CSV file: columns of choices, of measurements, and of costs."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nas.tables.table import BenchmarkTable, is_cost
from search_spaces.common.suggest import nearest
from search_spaces.spaces.space import Ints

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Columns:
    """The columns of a CSV file.

    measured   repetitions of the measurement to be maximised, one or more; an empty cell is a missing repetition
    choices    the choices; empty is every other column that has a name
    macs       multiply-adds of the network; empty is none
    params     its parameters; empty is none
    minimize   whether lower is better
    """

    measured: tuple[str, ...] = ("accuracy",)
    choices: tuple[str, ...] = ()
    macs: str = ""
    params: str = ""
    minimize: bool = False


def load(path: str, columns: Columns) -> BenchmarkTable:
    """The table of a CSV file with one row for each combination of the choices' values.

    Neither the rows' order nor blank lines matter: a choice's values are ordered by size, or by name where one is a
    word. Raises ValueError, naming the line where there is one, for a column that is not there or has two parts, for
    rows that are missing, there twice, too long or too short, for numbers that are not finite, and for costs that are
    not whole.
    """
    frame = _read(path)
    names = columns.choices or _others(frame, columns)
    _check_columns(frame, columns, names, path)
    chosen = {name: _options(frame, name, path) for name in names}
    values = {name: tuple(_plain(value) for value in sorted(column.unique())) for name, column in chosen.items()}
    order = _order(chosen, values, path)
    measured = _measured(frame, columns, path)[order]
    macs, params = (_whole(frame, name, path, order) for name in (columns.macs, columns.params))
    # Several columns are repetitions of one measurement: no name of theirs says what it is.
    unit = columns.measured[0] if len(columns.measured) == 1 else "the columns' unit"
    return BenchmarkTable(f"csv:{path}", values, np.arange(len(frame)), measured, macs, params, unit=unit)


def _read(path: str) -> pd.DataFrame:
    """The cells as texts, without the space around them; the index says in which line of the file a row ends."""
    import pandas as pd

    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            read = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except OSError as error:
        raise ValueError(f"cannot read table {path}: {error.strerror}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"table {path} is no CSV: {error}") from None
    rows = {line: row for line, row in read if row not in ([], [""])}
    head, *others = rows.values() or [[]]
    if not others:
        raise ValueError(f"table {path} has no rows")
    for line, row in rows.items():
        if len(row) != len(head):
            raise ValueError(f"line {line} of {path} has {len(row)} cells for the {len(head)} columns of its head")
    return pd.DataFrame(others, columns=head, index=list(rows)[1:], dtype=object)


def _others(frame: pd.DataFrame, columns: Columns) -> tuple[str, ...]:
    taken = {*columns.measured, columns.macs, columns.params, ""}
    return tuple(name for name in frame.columns if name not in taken)


def _check_columns(frame: pd.DataFrame, columns: Columns, names: Sequence[str], path: str) -> None:
    if not columns.measured:
        raise ValueError("--measured needs at least one column")
    used = [*columns.measured, *names, *filter(None, (columns.macs, columns.params))]
    for name in used:
        if name not in frame.columns:
            raise ValueError(f"table {path} has no column '{name}'{nearest(name, list(frame.columns))}")
        if used.count(name) > 1 or list(frame.columns).count(name) > 1:
            raise ValueError(f"column '{name}' of {path} is named twice: it can be one thing only")
    if not names:
        raise ValueError(f"table {path} has no column left for choices")


def _options(frame: pd.DataFrame, name: str, path: str) -> pd.Series[Any]:
    """[rows] a choice's values: numbers where all are, else words."""
    import pandas as pd

    texts = frame[name]
    if (holes := texts == "").any():
        raise ValueError(f"column '{name}' of {path} has a hole in line {_line(holes)}: fill it")
    # "None" and "NA" are fine names of an operator.
    numbers = pd.to_numeric(texts, errors="coerce")
    if (numbers.isna() & (texts.str.lower() != "nan")).any():
        return texts
    if (wrong := ~np.isfinite(numbers)).any():
        raise ValueError(f"column '{name}' of {path} must be finite, line {_line(wrong)} has '{texts[_line(wrong)]}'")
    return numbers


def _order(chosen: dict[str, pd.Series[Any]], values: dict[str, tuple[Any, ...]], path: str) -> Ints:
    """The rows in the order of the encodings."""
    import pandas as pd

    frame = pd.DataFrame(chosen)
    if (again := frame.duplicated()).any():
        raise ValueError(f"table {path} has the choices of line {_line(again)} twice: make repetitions columns")
    radices = tuple(len(options) for options in values.values())
    if (size := math.prod(radices)) != len(frame):
        missing = _missing(frame, values)
        raise ValueError(
            f"table {path} has {len(frame)} rows for {size} combinations of {', '.join(values)}, and none of "
            f"{missing}: each needs one; name costs with --macs and --params, and the choices with --choices"
        )
    columns = [frame[name].map({value: place for place, value in enumerate(values[name])}) for name in values]
    positions = np.ravel_multi_index(tuple(column.to_numpy(dtype=np.int64) for column in columns), radices)
    return np.argsort(positions)


def _missing(frame: pd.DataFrame, values: dict[str, tuple[Any, ...]]) -> str:
    """The first combination that has no row, in words."""
    there = set(frame.itertuples(index=False, name=None))
    lacking = next(combination for combination in product(*values.values()) if combination not in there)
    return " ".join(f"{name}={value}" for name, value in zip(values, lacking, strict=True))


def _measured(frame: pd.DataFrame, columns: Columns, path: str) -> Any:
    """[rows, repetitions], those that were made first."""
    found = np.stack([_numbers(frame, name, path) for name in columns.measured], axis=1)
    wrong = np.isinf(found).any(axis=1) | np.isnan(found).all(axis=1)
    if wrong.any():
        line = frame.index[int(np.argmax(wrong))]
        raise ValueError(f"line {line} of {path} needs a finite {' or '.join(columns.measured)}")
    order = np.argsort(np.isnan(found), axis=1, kind="stable")
    return np.take_along_axis(-found if columns.minimize else found, order, axis=1)


def _whole(frame: pd.DataFrame, name: str, path: str, order: Ints) -> Ints | None:
    if not name:
        return None
    numbers = _numbers(frame, name, path)
    for line, number in zip(frame.index, numbers.tolist(), strict=True):
        if not is_cost(number):
            raise ValueError(f"column '{name}' of {path} must be whole and above 0, line {line} is not")
    return np.asarray(numbers[order], dtype=np.int64)


def _numbers(frame: pd.DataFrame, name: str, path: str) -> Any:
    """[rows] a column's numbers, NaN where a cell is empty."""
    import pandas as pd

    numbers = pd.to_numeric(frame[name], errors="coerce")
    if (wrong := numbers.isna() & (frame[name] != "")).any():
        line = _line(wrong)
        raise ValueError(f"column '{name}' of {path} must be numbers, line {line} has {frame[name][line]!r}")
    return numbers.to_numpy(dtype=np.float64)


def _line(wrong: pd.Series[Any]) -> Any:
    """The line of the file with the first row that is wrong."""
    return wrong.idxmax()


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
