"""When a run's workers were busy, pieced together from the ledger's times."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reports.sources import STUDIES, Run

# Nothing running for longer than this: the run was not going on, and the time is cut out.
PAUSE_SECONDS = 120.0
# The ledger's clock stops a little after the worker's, so neighbours on a worker may seem to overlap.
SLACK_SECONDS = 0.5
BINS = 60

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Span:
    """A training: from `begun` to `ended`, seconds since 1970, and its outcome."""

    begun: float
    ended: float
    outcome: str


@dataclass(frozen=True)
class Bar:
    """A training on a worker's lane, `begun` in seconds since the run began, pauses cut out."""

    lane: int
    begun: float
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
        begun = np.array([bar.begun for bar in self.bars])
        ended = begun + np.array([bar.seconds for bar in self.bars])
        # Seconds of training before each edge; their differences are those within a bin.
        before = np.array([np.clip(edge - begun, 0, ended - begun).sum() for edge in edges])
        return edges, np.minimum(1.0, np.diff(before) / (self.lanes * self.length / bins))


def timeline(run: Run) -> Timeline | None:
    """The timeline of a run; None where its ledger is not there or tells no times."""
    spans = _spans(run)
    if not spans:
        return None
    workers = run.config.get("workers")
    return lay_out(run.name, spans, workers if isinstance(workers, int) else 1)


def lay_out(run: str, spans: Sequence[Span], workers: int = 1) -> Timeline:
    """Trainings on lanes, long pauses cut out; `workers` is the least number of lanes."""
    ordered = sorted(spans, key=lambda span: span.begun)
    free: list[float] = []
    bars: list[Bar] = []
    pauses: list[tuple[float, float]] = []
    origin = busy_until = ordered[0].begun
    for span in ordered:
        if span.begun - busy_until > PAUSE_SECONDS:
            pauses.append((busy_until - origin, span.begun - busy_until))
            origin += span.begun - busy_until
        busy_until = max(busy_until, span.ended)
        slack = min(SLACK_SECONDS, (span.ended - span.begun) / 2)
        lane = next((place for place, until in enumerate(free) if until <= span.begun + slack), len(free))
        free[lane : lane + 1] = [span.ended]
        bars.append(Bar(lane, span.begun - origin, span.ended - span.begun, span.outcome))
    return Timeline(run, bars, max(len(free), workers), busy_until - origin, pauses)


def _spans(run: Run) -> list[Span]:
    from studies.ledger import Ledger
    from studies.storage import sqlite_url

    database, spans = run.folder / "ledger.db", []
    for study in STUDIES[run.kind] if database.exists() else ():
        try:
            with Ledger.open(sqlite_url(database), study, {}, read_only=True) as ledger:
                spans += [span for trial in ledger.study.get_trials(deepcopy=False) if (span := _span(trial))]
        except ValueError as error:
            _log.info("no times from %s, study %s: %s", database, study, error)
    return spans


def _span(trial: object) -> Span | None:
    """A training that ended by itself; None for one that was taken over, is under way or whose time is not known."""
    ended, attributes = getattr(trial, "datetime_complete", None), getattr(trial, "user_attrs", {})
    seconds = attributes.get("seconds", 0.0)
    if ended is None or not seconds > 0 or attributes.get("repeat_of") is not None:
        return None
    return Span(ended.timestamp() - seconds, ended.timestamp(), str(attributes.get("outcome", "unknown")))
