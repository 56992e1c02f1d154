"""A source of jobs for tests of what executes them."""

from __future__ import annotations

from studies.outcome import Ending, Rung
from studies.workers.protocol import Job


class Listed:
    """A source of a given number of jobs, each with the payload, that keeps what it is told.

    ended    the ending of each job
    rungs    the number of a job and its rung, in the order of their reports
    stop_at  the step at which every job is stopped
    """

    def __init__(self, count: int, stop_at: int | None = None, payload: Job | None = None) -> None:
        self.waiting = list(range(count))
        self.stop_at = stop_at
        self.ended: dict[int, Ending] = {}
        self.rungs: list[tuple[int, Rung]] = []
        self.payload = payload or {}
        self.count = count

    def next_job(self) -> Job | None:
        return {"id": self.waiting.pop(0), **self.payload} if self.waiting else None

    def is_finished(self) -> bool:
        return len(self.ended) == self.count

    def report(self, job_id: int, rung: Rung) -> bool:
        self.rungs.append((job_id, rung))
        return rung["step"] == self.stop_at

    def finish(self, job_id: int, ending: Ending) -> None:
        assert job_id not in self.ended
        self.ended[job_id] = ending

    @property
    def steps(self) -> list[tuple[int, int]]:
        """The number of a job and the step of its rung."""
        return [(job_id, rung["step"]) for job_id, rung in self.rungs]
