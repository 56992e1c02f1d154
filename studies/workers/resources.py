"""Where and on what trials run: what the user asks for, fitted to what the machine has."""

from __future__ import annotations

import math
import socket
from dataclasses import dataclass, replace

from studies.machine import available_cores, gpus_here

CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class Execution:
    """Where and on what trials run.

    Attributes:
        workers: trials that run side by side; by default as many as the cores (and GPUs) allow. 0: one after the other
            in this process, without Ray
        cpus_per_trial: cores and threads of one trial
        gpus_per_trial: GPUs of one trial, fractions allowed (0.5: two trials share one); by default the GPUs are shared
            evenly, at most one a trial
        ray_address: an existing Ray cluster ("auto" on one of its machines, or "host:6379"); by default a private one
        storage_path: folder for Ray Tune's own files, shared by all machines of a cluster; by default a temporary one
        retries: retries of a trial whose worker died, before it counts as an error
        time_budget: seconds after which no new trial starts; running ones are finished
        tensorboard: write TensorBoard logs of the trials beside their table (see `studies.workers.tensorboard`)

    """

    workers: int | None = None
    cpus_per_trial: int = 1
    gpus_per_trial: float | None = None
    ray_address: str | None = None
    storage_path: str | None = None
    retries: int = 1
    time_budget: float | None = None
    tensorboard: bool = False

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 0:
            raise ValueError(f"--workers must be at least 0, got {self.workers}")
        if self.workers == 0 and self.ray_address is not None:
            raise ValueError(
                f"--workers 0 runs in this process, not on the cluster at --ray-address {self.ray_address}: remove one "
                "of the two"
            )
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
        if self.retries < 0:
            raise ValueError(f"--retries must be at least 0, got {self.retries}")
        if self.time_budget is not None and not self.time_budget > 0:
            raise ValueError(f"--time-budget must be more than 0 seconds, got {self.time_budget:g}")


@dataclass(frozen=True, slots=True)
class Resources:
    """An Execution fitted to a machine, with all numbers known.

    workers     trials that run side by side, at least 1
    in_process  whether they run one after the other in this process, without Ray
    """

    workers: int
    cpus_per_trial: int
    gpus_per_trial: float
    in_process: bool = False

    def describe(self) -> str:
        """How many trials run at a time, and where, for people."""
        return _IN_PROCESS if self.in_process else f"{self.workers} at a time"


_IN_PROCESS = "one at a time, in this process"


def describe_workers(execution: Execution, workers: int | None) -> str:
    """As `Resources.describe`, where only the number of workers is known, or not even that (empty text)."""
    if execution.workers == 0:
        return _IN_PROCESS
    return f"{workers} at a time" if workers else ""


def settle(execution: Execution, cores: int, gpus: float) -> Resources:
    """Fit an Execution to `cores` and `gpus`. Raises ValueError where it asks for more than there is."""
    if execution.workers == 0:
        return replace(settle(replace(execution, workers=1), cores, gpus), in_process=True)
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
    """GPUs for one trial by default: one each, or a fraction that lets all of them run."""
    if gpus < 1 or trials <= gpus:
        return float(min(gpus, 1))
    return 1 / math.ceil(trials / gpus)


def _gpu_slots(gpus: float, share: float, limit: int) -> int:
    if share == 0:
        return limit
    # Fractions do not cross from one GPU to the next: three trials of 0.4 need two GPUs.
    return int(gpus) * int(1 / share + 1e-9) if share <= 1 else int(gpus // share)


def settle_here(execution: Execution) -> Resources | None:
    """An Execution settled against this machine; None on a cluster, whose resources are known only once it is joined.

    Raises ValueError where it asks for more than there is, or where nothing answers at the cluster's address.
    """
    if execution.ray_address:
        check_reachable(execution.ray_address)
        return None
    gpus = 0.0 if execution.gpus_per_trial == 0 else gpus_here()
    return settle(execution, available_cores(), gpus)


def check_reachable(address: str) -> None:
    """Raise ValueError unless something listens at host:port; Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(f"--ray-address {address}: no Ray cluster answers there ({reason})") from None
