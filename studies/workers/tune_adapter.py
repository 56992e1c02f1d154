"""Between Ray Tune's callbacks and a source of jobs: which trial is which job, and its results. Imports no Ray."""

from __future__ import annotations

import json
import time
from types import TracebackType
from typing import Any

from studies.outcome import Ending, Outcome
from studies.workers.interrupts import Interrupts
from studies.workers.protocol import Job, JobSource, Usage
from studies.workers.worker import ending_from_dict

_MEMORY_PHRASES = ("low on memory", "out of memory", "OutOfMemory")


class SourceError(BaseException):
    """Carries an exception through Ray Tune, which would swallow it or wait for the workers first."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error


class TuneAdapter:
    """The running jobs. Every exception of the source is raised as a `SourceError`.

    workers   jobs that may run at once
    finished  no job will come any more
    """

    def __init__(
        self, source: JobSource, workers: int, interrupts: Interrupts, time_budget: float | None = None
    ) -> None:
        self.workers = workers
        self.finished = False
        self._source = source
        self._interrupts = interrupts
        self._deadline = None if time_budget is None else time.monotonic() + time_budget
        self._jobs: dict[str, int] = {}
        self._stopped: dict[str, int] = {}
        self._failures: dict[str, list[str]] = {}
        self._busy = 0.0
        self._ended = 0
        self._first: float | None = None
        self._last = time.perf_counter()

    def check(self) -> None:
        """Raise KeyboardInterrupt (in a SourceError) if the user wants to stop; no call of the source is unfinished."""
        if self._interrupts.asked:
            raise SourceError(KeyboardInterrupt(self._interrupts.reason))

    def begin(self, trial_id: str) -> Job | None:
        """The next job, or None; `finished` says whether there will be no more."""
        if len(self._jobs) >= self.workers:
            return None
        if self._deadline is not None and time.monotonic() > self._deadline:
            self.finished = True
            return None
        with _Guard():
            job = self._source.next_job()
            self.finished = job is None and self._source.is_finished()
        if job is not None:
            self._jobs[trial_id] = job["id"]
        return job

    def started(self) -> None:
        """A worker begins its work on a trial."""
        self._first = self._first or time.perf_counter()

    def rung(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Pass a rung on. Returns whether to stop there."""
        rung = json.loads(result["rung"])
        with _Guard():
            stop = self._source.report(self._jobs[trial_id], rung)
        if stop:
            self._stopped[trial_id] = rung["step"]
        return stop

    def failed(self, trial_id: str, reason: str) -> None:
        """A worker died."""
        self._failures.setdefault(trial_id, []).append(reason)

    def end(self, trial_id: str, result: dict[str, Any] | None, error: bool) -> None:
        """Pass a trial's end on."""
        job_id = self._jobs.get(trial_id)
        if job_id is None:
            return
        ending = self._lost(trial_id) if error or not result else self._ending(trial_id, result)
        self._busy += ending.seconds
        self._ended += 1
        self._last = time.perf_counter()
        with _Guard():
            self._source.finish(job_id, ending)
        del self._jobs[trial_id]

    def give_back(self) -> None:
        """Report the jobs that still run as interrupted."""
        for trial_id, job_id in list(self._jobs.items()):
            del self._jobs[trial_id]
            self._source.finish(job_id, Ending(Outcome.INTERRUPTED, self._interrupts.reason or "the driver ended"))

    def usage(self, begun: float) -> Usage:
        """How the time was spent, once all jobs are over."""
        first = self._first or self._last
        return Usage(self.workers, self._ended, first - begun, self._last - first, self._busy)

    def _ending(self, trial_id: str, result: dict[str, Any]) -> Ending:
        if "ending" in result:
            return ending_from_dict(json.loads(result["ending"]))
        reason = f"stopped early after step {self._stopped.pop(trial_id, '?')}"
        return Ending(Outcome.PRUNED, reason, result["seconds"], f"{result['hostname']}:{result['pid']}")

    def _lost(self, trial_id: str) -> Ending:
        reasons = self._failures.pop(trial_id, ["unknown"])
        if any(phrase in reasons[-1] for phrase in _MEMORY_PHRASES):
            return Ending(Outcome.OUT_OF_MEMORY, "the system ended its worker for lack of memory")
        times = "once" if len(reasons) == 1 else f"{len(reasons)} times"
        return Ending(Outcome.ERROR, f"its worker failed {times}: {reasons[-1]}")


class _Guard:
    """Turns an exception of the source into a SourceError."""

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            raise SourceError(error) from error
