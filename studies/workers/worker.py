"""The worker's side of a job, without Ray: the evaluation runs rung by rung, and its errors become endings."""

from __future__ import annotations

import gc
import math
import os
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from studies.outcome import Ending, Outcome, Rung, classify, describe_error
from studies.workers.protocol import Evaluate, Job


class JobRun:
    """A running job.

    `advance` gives (rung, None) after each rung and (None, ending) once, at the end. It raises nothing: an exception
    of the evaluation is an ending, so that the process lives on and takes the next job.
    """

    def __init__(self, evaluate: Evaluate, job: Job) -> None:
        self.seconds = 0.0
        self._evaluate = evaluate
        self._job = job
        self._rungs: Iterator[Rung] | None = None

    def advance(self) -> tuple[Rung | None, Ending | None]:
        """Train until the next rung or the end."""
        start, rung, ending = time.perf_counter(), None, None
        try:
            if self._rungs is None:
                self._rungs = iter(self._evaluate(self._job))
            rung = next(self._rungs, None)
            self.seconds += time.perf_counter() - start
        except Exception as error:
            self.seconds += time.perf_counter() - start
            ending = self._failed(error)
        if ending is not None:
            # Only here: inside `except`, the error's traceback still holds what the evaluation had allocated.
            _free_memory()
            return None, ending
        if rung is None:
            return None, self._ended(Outcome.COMPLETE)
        return self._checked(dict(rung))

    def close(self) -> None:
        """Abandon the job: its generator's `finally` blocks run."""
        close = getattr(self._rungs, "close", None)
        if close is not None:
            try:
                close()
            except Exception:
                traceback.print_exc()
        self._rungs = None

    def _checked(self, rung: Rung) -> tuple[Rung | None, Ending | None]:
        outcome = Outcome(rung.get("outcome", Outcome.COMPLETE))
        if outcome is not Outcome.COMPLETE:
            return None, self._ended(outcome, str(rung.get("reason") or outcome))
        for name in ("accuracy", "loss"):
            value = rung.get(name)
            if isinstance(value, float) and not math.isfinite(value):
                return None, self._ended(Outcome.NAN, f"{name} is {value} at step {rung.get('step')}")
        return rung, None

    def _failed(self, error: Exception) -> Ending:
        text = "".join(traceback.format_exception(error))
        return self._ended(classify(error), describe_error(error), text)

    def _ended(self, outcome: Outcome, reason: str = "", trace: str = "") -> Ending:
        self.close()
        return Ending(outcome, reason, self.seconds, worker_name(), trace)


def ending_to_dict(ending: Ending) -> dict[str, Any]:
    """Plain JSON values, to send."""
    return asdict(ending)


def ending_from_dict(fields: dict[str, Any]) -> Ending:
    """Read back what `ending_to_dict` gave."""
    return Ending(**{**fields, "outcome": Outcome(fields["outcome"])})


def worker_name() -> str:
    """Name of the process that runs here, for people: "host:pid"."""
    return f"{socket.gethostname()}:{os.getpid()}"


def set_threads(threads: int) -> None:
    """Have the training libraries of this process use that many threads."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    # Environment variables come too late for a torch that is loaded already; loading it here would cost seconds.
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(threads)


def _free_memory() -> None:
    """Free what a failed evaluation held, on the GPU too, before the next one starts."""
    gc.collect()
    if (torch := sys.modules.get("torch")) is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
