"""When a run's workers were busy, pieced together from the ledger's times."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from reports.reading.runs import RunData
from studies.runs.folder import LEDGER

# Nothing running for longer than this: the run was not going on, and the time is cut out.
PAUSE_SECONDS = 120.0
# The ledger's clock stops a little after the worker's, so neighbours on a worker may seem to overlap.
SLACK_SECONDS = 0.5
BINS = 60


# Optuna's own tables: reading 10 000 whole trials through its API takes 20 seconds, these times take one.
_QUERY = """
SELECT t.datetime_complete, seconds.value_json, outcome.value_json
FROM studies AS s JOIN trials AS t ON t.study_id = s.study_id
JOIN trial_user_attributes AS seconds ON seconds.trial_id = t.trial_id AND seconds.key = 'seconds'
LEFT JOIN trial_user_attributes AS outcome ON outcome.trial_id = t.trial_id AND outcome.key = 'outcome'
LEFT JOIN trial_user_attributes AS taken ON taken.trial_id = t.trial_id AND taken.key = 'repeat_of'
WHERE s.study_name = ? AND t.datetime_complete IS NOT NULL AND taken.value_json IS NULL
"""


@dataclass(frozen=True)
class Span:
    """A training: from `start` to `end`, seconds since 1970, and its outcome."""

    start: float
    end: float
    outcome: str


@dataclass(frozen=True)
class Bar:
    """A training on a worker's lane, `start` in seconds since the run began, pauses cut out."""

    lane: int
    start: float
    seconds: float
    outcome: str


@dataclass(frozen=True)
class Timeline:
    """When workers were busy.

    run     its name
    bars    trainings, on as few lanes as hold them
    lanes   workers, at least as many as trained side by side
    length  seconds, pauses cut out
    pauses  (second at which the run paused, seconds cut out)
    """

    run: str
    bars: Sequence[Bar]
    lanes: int
    length: float
    pauses: Sequence[tuple[float, float]]

    @property
    def utilisation(self) -> float:
        """Share of the workers' time that was spent in trainings, 0 to 1."""
        busy = sum(bar.seconds for bar in self.bars)
        return min(1.0, busy / (self.lanes * self.length)) if self.length else 0.0

    def busy(self, bins: int = BINS) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(edges [bins + 1] in seconds, share of workers busy [bins], 0 to 1)."""
        edges = np.linspace(0.0, self.length, bins + 1)
        start = np.array([bar.start for bar in self.bars])
        end = start + np.array([bar.seconds for bar in self.bars])
        # Seconds of training before each edge; their differences are those within a bin.
        before = np.array([np.clip(edge - start, 0, end - start).sum() for edge in edges])
        return edges, np.minimum(1.0, np.diff(before) / (self.lanes * self.length / bins))


def timeline(run: RunData) -> Timeline | None:
    """The timeline of a run; None if its ledger is missing or has no times."""
    spans = _spans(run)
    if not spans:
        return None
    workers = run.setting("workers.number")
    return lay_out(run.name, spans, workers if isinstance(workers, int) else 1)


def lay_out(run: str, spans: Sequence[Span], workers: int = 1) -> Timeline:
    """Trainings on lanes, long pauses cut out; `workers` is the least number of lanes."""
    ordered = sorted(spans, key=lambda span: span.start)
    free: list[float] = []
    bars: list[Bar] = []
    pauses: list[tuple[float, float]] = []
    origin = busy_until = ordered[0].start
    for span in ordered:
        if span.start - busy_until > PAUSE_SECONDS:
            pauses.append((busy_until - origin, span.start - busy_until))
            origin += span.start - busy_until
        busy_until = max(busy_until, span.end)
        slack = min(SLACK_SECONDS, (span.end - span.start) / 2)
        lane = next((place for place, until in enumerate(free) if until <= span.start + slack), len(free))
        free[lane : lane + 1] = [span.end]
        bars.append(Bar(lane, span.start - origin, span.end - span.start, span.outcome))
    return Timeline(run, bars, max(len(free), workers), busy_until - origin, pauses)


def _spans(run: RunData) -> list[Span]:
    """The trainings that ended by themselves; those interrupted or repeated have no times."""
    database = (run.folder / LEDGER).resolve()
    if not database.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            rows = [row for study in run.trials for row in connection.execute(_QUERY, (study,))]
        found = [_span(*row) for row in rows]
    except (sqlite3.Error, ValueError, TypeError) as error:
        run.notes.append(f"{database.name} has no readable times: {error}")
        return []
    return [span for span in found if span.end > span.start]


def _span(completed: str, seconds: str, outcome: str | None) -> Span:
    end = datetime.fromisoformat(completed).timestamp()
    return Span(end - float(json.loads(seconds)), end, "unknown" if outcome is None else str(json.loads(outcome)))
