"""Finished trainings: a line of a CSV each, written when the training ends."""

from __future__ import annotations

import csv
import os
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Setting:
    """What all trainings of a study share."""

    dataset: str
    resolution: int
    images: int
    recipe: str
    passes: int


@dataclass(frozen=True)
class Training:
    """What tells the trainings of a study apart. `key` is the network's `Arch.key`."""

    network: str
    key: str
    variant: str
    lr: float
    seed: int


@dataclass(frozen=True)
class Result:
    """What a training gave.

    accuracy     on the validation images after the last pass, 0 to 1; 0 if the loss became infinite
    accuracies   after each pass
    losses       mean training loss of each pass
    cpu_seconds  processor seconds of training
    """

    accuracy: float
    accuracies: tuple[float, ...]
    losses: tuple[float, ...]
    cpu_seconds: float


Records = dict[Training, Result]
KEYS = [field.name for field in (*fields(Setting), *fields(Training))]
COLUMNS = [*KEYS, *(field.name for field in fields(Result))]


def read(path: Path, setting: Setting) -> Records:
    """The results of the setting in a file; none if it does not exist."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        # A line that was cut off by a crash lacks its last cell.
        rows = [row for row in csv.DictReader(file) if row["cpu_seconds"] and _is_of(row, setting)]
    return {_training(row): _result(row) for row in rows}


def append(path: Path, setting: Setting, training: Training, result: Result) -> None:
    """Add a line and wait until it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {**asdict(setting), **asdict(training), **asdict(result)}
    values |= {name: ";".join(f"{value:.4f}" for value in values[name]) for name in ("accuracies", "losses")}
    values |= {"accuracy": f"{result.accuracy:.4f}", "cpu_seconds": f"{result.cpu_seconds:.2f}"}
    with path.open("a+", newline="") as file:
        file.seek(0)
        text = file.read()
        if text and not text.endswith("\n"):
            file.write("\n")
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if not text:
            writer.writeheader()
        writer.writerow(values)
        file.flush()
        os.fsync(file.fileno())


def _is_of(row: dict[str, Any], setting: Setting) -> bool:
    return tuple(row[field.name] for field in fields(Setting)) == tuple(map(str, astuple(setting)))


def _training(row: dict[str, Any]) -> Training:
    return Training(row["network"], row["key"], row["variant"], float(row["lr"]), int(row["seed"]))


def _result(row: dict[str, Any]) -> Result:
    accuracies, losses = (tuple(map(float, row[name].split(";"))) for name in ("accuracies", "losses"))
    return Result(float(row["accuracy"]), accuracies, losses, float(row["cpu_seconds"]))
