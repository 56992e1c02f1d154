"""What a run's trainings took: how many, how long, how many images; and how they ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from reports.reading.runs import RunData

# The studies of a ledger as people call them.
PHASES = {
    "search": "candidates",
    "finalists": "finalists",
    "grid": "grid",
    "choice": "retrained choice",
    "curves": "curves",
}
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Effort:
    """One phase of a run.

    run, phase  names
    outcomes    how many trials ended how; "running" and "waiting" for those that have not
    retries     trials that ran an interrupted one again; repeats: that took over an earlier one's result, untrained
    seconds     of each training, worker time; zeros left out
    images      training images seen by all, each as often as it was seen
    """

    run: str
    phase: str
    outcomes: Mapping[str, int]
    retries: int
    repeats: int
    seconds: tuple[float, ...]
    images: int

    @property
    def trials(self) -> int:
        """All trials, the unfinished included."""
        return sum(self.outcomes.values())

    @property
    def hours(self) -> float:
        """Worker hours."""
        return sum(self.seconds) / 3600


def efforts(run: RunData) -> list[Effort]:
    """The phases of a run that have trials."""
    return [effort(run.name, PHASES.get(study, study), frame) for study, frame in run.trials.items() if len(frame)]


def effort(run: str, phase: str, frame: pd.DataFrame) -> Effort:
    """The account of one table of trials; columns may be missing."""
    outcomes = texts(frame, "outcome").value_counts()
    own = frame[numbers(frame, "repeat_of").isna()]
    seconds = numbers(own, "seconds")
    return Effort(
        run=run,
        phase=phase,
        outcomes={str(name): int(count) for name, count in outcomes.items()},
        retries=int(numbers(frame, "retry_of").notna().sum()),
        repeats=len(frame) - len(own),
        seconds=tuple(float(value) for value in seconds[seconds > 0]),
        images=int(numbers(own, "images").sum()),
    )


def numbers(frame: pd.DataFrame, name: str) -> pd.Series[float]:
    """A column as finite numbers; nan for what is none, and where there is no such column."""
    if name not in frame:
        return pd.Series(float("nan"), index=frame.index, dtype=float)
    return (
        pd.to_numeric(frame[name], errors="coerce").astype(float).replace([float("inf"), float("-inf")], float("nan"))
    )


def texts(frame: pd.DataFrame, name: str, missing: str = UNKNOWN) -> pd.Series[str]:
    """A column as text; `missing` for what is missing."""
    if name not in frame:
        return pd.Series(missing, index=frame.index, dtype=object)
    return frame[name].astype(object).fillna(missing).astype(str)
