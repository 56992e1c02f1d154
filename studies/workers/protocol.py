"""What the ledger and the workers exchange: jobs, their source, and how the time was spent."""

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
        """The next job, or None if there is none at the moment (`is_finished` says whether there will be more)."""

    def is_finished(self) -> bool:
        """Whether there will be no more jobs, provided that the running ones end well."""

    def report(self, job_id: int, rung: Rung) -> bool:
        """Record a rung's result. True: stop the trial here (`finish` then gets an ending with outcome pruned)."""

    def finish(self, job_id: int, ending: Ending) -> None:
        """Record how a job ended. Called exactly once for each job."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How the workers spent their time.

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
