"""What passes between the ledger and the workers: jobs, their source, the account of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from studies.outcome import Ending, Rung

Job = dict[str, Any]
"""What a worker gets: plain JSON values, with the trial's number under "id" (tuples arrive as lists)."""
Evaluate = Callable[[Job], Iterator[Rung]]
"""Runs in the worker. Trains one candidate and yields a Rung after each part; ends when training is over. It may be
abandoned after any rung (its generator is closed), so clean-up belongs in `finally`."""


class JobSource(Protocol):
    """Where jobs come from and results go. `execute` calls it from one thread, in the driver."""

    def next_job(self) -> Job | None:
        """The next job, or None while there is none at the moment (or none any more: see `is_finished`)."""

    def is_finished(self) -> bool:
        """Whether no job will ever come again, provided that those under way end well."""

    def report(self, job_id: int, rung: Rung) -> bool:
        """Take a rung's result down. True: stop the trial here (it is told `finish` with outcome pruned)."""

    def finish(self, job_id: int, ending: Ending) -> None:
        """Take down how a job ended. Called exactly once for each job given out."""


@dataclass(frozen=True, slots=True)
class Usage:
    """An account of where the workers' time went.

    workers  trials that could run side by side
    jobs     trials that ended
    startup  seconds until the first worker began its first trial
    wall     seconds from then until the last trial ended
    busy     worker-seconds spent inside evaluations (training and validation)
    """

    workers: int
    jobs: int
    startup: float
    wall: float
    busy: float

    @property
    def utilisation(self) -> float:
        """Share of the worker-seconds between first and last trial that were spent in evaluations."""
        return self.busy / (self.workers * self.wall) if self.wall > 0 else 0.0

    @property
    def overhead(self) -> float:
        """Worker-seconds a trial that were not spent in evaluations."""
        return max(0.0, self.workers * self.wall - self.busy) / self.jobs if self.jobs else 0.0
