"""What executing trials takes, in words that need neither Ray nor Optuna: jobs, their source, the resources."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from studies.outcome import Ending

Job = dict[str, Any]
"""What a worker gets: plain JSON values, with the trial's number under "id" (tuples arrive as lists)."""

Rung = dict[str, Any]
"""What an evaluation yields at each rung, plain JSON values: "step" (1, 2, ...), "accuracy" (0..1) and, where known,
"loss", "images", "seconds" and, of training alone, "train_seconds" and "cpu_seconds" (the processor's). A rung whose
accuracy or loss is not finite ends the trial with outcome nan, one with "outcome" (an Outcome's value other than
complete) ends it with that outcome and the line under "reason"."""

Evaluate = Callable[[Job], Iterator[Rung]]
"""Runs in the worker. Trains one candidate and yields a Rung after each part; ends when training is over. It may be
abandoned after any rung (its generator is closed), so clean-up belongs in `finally`."""


class Source(Protocol):
    """Where jobs come from and results go. `execute` calls it from one thread, in the driver."""

    def next_job(self) -> Job | None:
        """The next job, or None while there is none at the moment (or none any more: see `is_finished`)."""

    def is_finished(self) -> bool:
        """Whether no job will ever come again, provided that those under way end well."""

    def report(self, job_id: int, rung: Rung) -> bool:
        """Take a rung's result down. True: stop the trial here (it is told `finish` with outcome pruned)."""

    def finish(self, job_id: int, ending: Ending) -> None:
        """Take down how a job ended. Called exactly once for each job given out."""


@dataclass(frozen=True)
class Execution:
    """Where and on what trials run.

    Attributes:
        workers: trials that run side by side; as many as the cores (and GPUs) allow if not given
        cpus_per_trial: cores and threads of one trial
        gpus_per_trial: GPUs of one trial, fractions allowed (0.5: two trials share one); if not given, the GPUs that
            are there are shared evenly, at most one a trial
        ray_address: an existing Ray cluster ("auto" on one of its machines, or "host:6379"); a private one if not given
        storage_path: folder for Ray Tune's own files, shared by all machines of a cluster; temporary if not given
        max_retries: how often a trial whose worker died is started again before it is an error
        time_budget: seconds after which no new trial starts; those under way are finished
        tensorboard: write TensorBoard logs of the trials beside their table (see `studies.board`)

    """

    workers: int | None = None
    cpus_per_trial: int = 1
    gpus_per_trial: float | None = None
    ray_address: str | None = None
    storage_path: str | None = None
    max_retries: int = 1
    time_budget: float | None = None
    tensorboard: bool = False

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"--workers must be at least 1, got {self.workers}")
        if self.cpus_per_trial < 1:
            raise ValueError(f"--cpus-per-trial must be at least 1, got {self.cpus_per_trial}")
        gpus = self.gpus_per_trial
        if gpus is not None and (gpus < 0 or (gpus > 1 and gpus != int(gpus))):
            raise ValueError(f"--gpus-per-trial must be a fraction of one GPU or a whole number, got {gpus:g}")
        if self.ray_address is not None and self.ray_address.startswith("ray://"):
            raise ValueError(
                f"--ray-address {self.ray_address}: Ray Client addresses are not supported; start the command on a "
                "machine of the cluster, with --ray-address auto or host:port"
            )
        if self.max_retries < 0:
            raise ValueError(f"--max-retries must be at least 0, got {self.max_retries}")
        if self.time_budget is not None and not self.time_budget > 0:
            raise ValueError(f"--time-budget must be more than 0 seconds, got {self.time_budget:g}")


@dataclass(frozen=True, slots=True)
class Resources:
    """An Execution settled against a machine: numbers instead of "as many as there are"."""

    workers: int
    cpus_per_trial: int
    gpus_per_trial: float


def settle(execution: Execution, cores: int, gpus: float) -> Resources:
    """Fit an Execution to `cores` and `gpus`. Raises ValueError where it asks for more than there is."""
    cpus = execution.cpus_per_trial
    if cpus > cores:
        raise ValueError(f"--cpus-per-trial {cpus}: there are only {cores} cores; ask for fewer")
    slots = cores // cpus
    if execution.workers is not None and execution.workers > slots:
        raise ValueError(
            f"--workers {execution.workers} with --cpus-per-trial {cpus} needs {execution.workers * cpus} cores, "
            f"there are {cores}: use at most --workers {slots}"
        )
    share = execution.gpus_per_trial
    if share is None:
        share = _even_share(gpus, execution.workers or slots)
    if share > gpus:
        raise ValueError(f"--gpus-per-trial {share:g}: there are {gpus:g} GPUs; ask for fewer, or 0 to train on CPUs")
    slots = min(slots, _gpu_slots(gpus, share, slots))
    if execution.workers is not None and execution.workers > slots:
        raise ValueError(
            f"--workers {execution.workers} with --gpus-per-trial {share:g} needs more than the {gpus:g} GPUs there "
            f"are: use at most --workers {slots}"
        )
    return Resources(execution.workers or slots, cpus, share)


def _even_share(gpus: float, trials: int) -> float:
    """GPUs for one trial when the user leaves it to us: one each, or a fraction that lets all of them run."""
    if gpus < 1 or trials <= gpus:
        return float(min(gpus, 1))
    return 1 / math.ceil(trials / gpus)


def _gpu_slots(gpus: float, share: float, limit: int) -> int:
    if share == 0:
        return limit
    # Fractions do not cross from one GPU to the next: three trials of 0.4 need two GPUs.
    return int(gpus) * int(1 / share + 1e-9) if share <= 1 else int(gpus // share)


def available_cores() -> int:
    """Cores this process may use: its CPU affinity and, in a container, the control group's quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(cores, int(int(quota) / int(period))))
    except (OSError, ValueError):
        return cores


def gpus_here() -> float:
    """GPUs PyTorch can use in this process. Loads torch only where a GPU driver is present."""
    if not any(Path("/dev").glob("nvidia[0-9]*")) and not Path("/dev/kfd").exists():
        return 0.0
    import torch

    return float(torch.cuda.device_count())


def settle_here(execution: Execution) -> Resources | None:
    """An Execution settled against this machine; None on a cluster, whose resources only joining it tells.

    Raises ValueError where it asks for more than there is, or where nobody answers at the cluster's address.
    """
    if execution.ray_address:
        from studies.cluster import knock

        knock(execution.ray_address)
        return None
    gpus = 0.0 if execution.gpus_per_trial == 0 else gpus_here()
    return settle(execution, available_cores(), gpus)


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
