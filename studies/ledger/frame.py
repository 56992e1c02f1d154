"""A ledger as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.common.files import atomic_write
from studies.ledger.ledger import Ledger
from studies.ledger.trial import Record

if TYPE_CHECKING:
    import pandas as pd


def frame(ledger: Ledger) -> pd.DataFrame:
    """One row a trial, in order of number.

    Columns: the fields of `Record` in raw units, each metric under its name; value (value_0, value_1, ... where there
    are several objectives); accuracy, loss, images and every other number of the last rung; accuracy_1, accuracy_2, ...
    at each rung's step; choice_<name> for each of the space's choices.
    """
    import pandas as pd

    return pd.DataFrame(rows_of(ledger.records()))


def rows_of(records: Sequence[Record]) -> list[dict[str, Any]]:
    """The rows of `frame` for some trials."""
    metrics = list(dict.fromkeys(name for record in records for name in record.metrics))
    return [_row(record, metrics) for record in records]


def write_csv(ledger: Ledger, path: str | Path) -> None:
    """Write `frame` as a CSV file, atomically."""
    atomic_write(path, frame(ledger).to_csv(index=False))


def _row(record: Record, metrics: Sequence[str]) -> dict[str, Any]:
    last = record.rungs[-1] if record.rungs else {}
    row: dict[str, Any] = {
        "number": record.number,
        "phase": record.phase,
        "outcome": str(record.outcome or record.state.name.lower()),
        "reason": record.reason,
        **_values(record),
        **{name: last.get(name) for name in ("accuracy", "loss", "images", "test_accuracy")},
        "step": last.get("step", 0),
        **{name: record.metrics.get(name) for name in metrics},
        "key": record.key,
        "seed": record.seed,
        "proposal_index": record.proposal_index,
        "proposed_by": record.proposed_by,
        "replicate": record.replicate,
        "never_pruned": record.never_pruned,
        "repeat_of": record.repeat_of,
        "retry_of": record.retry_of,
        "seconds": record.seconds,
        "worker": record.worker,
    }
    others = {name: value for name, value in last.items() if name not in row and isinstance(value, int | float)}
    rungs = {f"accuracy_{rung['step']}": rung.get("accuracy") for rung in record.rungs}
    return row | others | rungs | {f"choice_{name}": value for name, value in record.choice.items()}


def _values(record: Record) -> dict[str, float | None]:
    if record.values is None or len(record.values) == 1:
        return {"value": record.values[0] if record.values else None}
    return {f"value_{i}": value for i, value in enumerate(record.values)}
