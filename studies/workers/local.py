"""Runs jobs one after the other in this process, without Ray: `--workers 0`, notebooks, tests."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from studies.outcome import Ending, Outcome
from studies.workers.config import WorkersConfig
from studies.workers.interrupts import Interrupts
from studies.workers.protocol import Evaluate, Job, JobSource, Usage
from studies.workers.worker import JobRun, set_threads

WAIT_SECONDS = 0.2


def execute_in_process(
    source: JobSource, evaluate: Evaluate, *, workers: WorkersConfig | None = None, time_budget: float | None = None
) -> Usage:
    """Run a source's jobs in this process until it is finished, or until `time_budget` seconds are over.

    Of the settings only threads and GPUs count. On SIGINT or SIGTERM the running job ends as interrupted at its next
    rung, and KeyboardInterrupt is raised; a second signal raises it at once.
    """
    workers = workers or WorkersConfig(number=0)
    set_threads(workers.cpus_per_trial)
    start = time.perf_counter()
    deadline = float("inf") if time_budget is None else start + time_budget
    busy, jobs = 0.0, 0
    with Interrupts() as interrupts, _visible_gpus(workers):
        while not source.is_finished() and time.perf_counter() < deadline:
            job = source.next_job()
            if job is not None:
                busy += _run(source, evaluate, job, interrupts)
                jobs += 1
            elif not source.is_finished():
                _stop_if_asked(interrupts)
                time.sleep(WAIT_SECONDS)
    return Usage(1, jobs, 0.0, time.perf_counter() - start, busy)


@contextmanager
def _visible_gpus(workers: WorkersConfig) -> Iterator[None]:
    """Hide the GPUs from CUDA, which has not begun yet, where trials are to have none: they would train there."""
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    if workers.gpus_per_trial == 0:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    try:
        yield
    finally:
        if before is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = before
        else:
            os.environ.pop("CUDA_VISIBLE_DEVICES", None)


def _stop_if_asked(interrupts: Interrupts) -> None:
    if interrupts.asked:
        raise KeyboardInterrupt(interrupts.reason)


def _run(source: JobSource, evaluate: Evaluate, job: Job, interrupts: Interrupts) -> float:
    run = JobRun(evaluate, job)
    ending: Ending | None = None
    try:
        while ending is None:
            _stop_if_asked(interrupts)
            rung, ending = run.advance()
            if rung is not None and source.report(job["id"], rung):
                ending = Ending(Outcome.PRUNED, f"stopped early after step {rung['step']}", run.seconds)
    except BaseException:
        reason = interrupts.reason or "interrupted by the user"
        source.finish(job["id"], Ending(Outcome.INTERRUPTED, reason, run.seconds))
        raise
    finally:
        run.close()
    source.finish(job["id"], ending)
    return run.seconds
