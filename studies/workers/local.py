"""Executing jobs one after the other in this process: notebooks, small studies, tests."""

from __future__ import annotations

import time

from studies.outcome import Ending, Outcome
from studies.workers.interrupts import Interrupts
from studies.workers.protocol import Evaluate, Job, JobSource, Usage
from studies.workers.worker import JobRun

WAIT_SECONDS = 0.2


def execute_here(source: JobSource, evaluate: Evaluate) -> Usage:
    """Run a source's jobs in this process until it is finished.

    An interrupt is taken after the rung under way (a second one on the spot) and ends the running job as interrupted.
    """
    start = time.perf_counter()
    busy, jobs = 0.0, 0
    with Interrupts() as interrupts:
        while not source.is_finished():
            job = source.next_job()
            if job is not None:
                busy += _run(source, evaluate, job, interrupts)
                jobs += 1
            elif not source.is_finished():
                _stop_if_asked(interrupts)
                time.sleep(WAIT_SECONDS)
    return Usage(1, jobs, 0.0, time.perf_counter() - start, busy)


def _stop_if_asked(interrupts: Interrupts) -> None:
    if interrupts.asked:
        raise KeyboardInterrupt


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
        source.finish(job["id"], Ending(Outcome.INTERRUPTED, "interrupted by the user", run.seconds))
        raise
    finally:
        run.close()
    source.finish(job["id"], ending)
    return run.seconds
