"""Where trials run, and with how many workers, cores and GPUs: the user's settings, fitted to a machine."""

from __future__ import annotations

import math
import socket
from dataclasses import dataclass, replace

from studies.machine import available_cores, gpus_here

MAX_CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class Execution:
    """Where trials run, and on what.

    Attributes:
        workers: trials at once. Default: as many as the cores (and GPUs) allow. 0: one after the other in this process,
            without Ray
        cpus_per_trial: cores and threads of one trial
        gpus_per_trial: GPUs of one trial, fractions allowed (0.5: two trials share one). Default: the GPUs are shared
            evenly, at most one per trial
        ray_address: an existing Ray cluster ("auto" on one of its machines, or "host:6379"). Default: a private one
        storage_path: folder for Ray Tune's own files, shared by all machines of a cluster. Default: a temporary one
        retries: retries of a trial whose worker died, before it counts as an error
        tensorboard: write TensorBoard logs of the trials beside their table (see `studies.workers.tensorboard`)
        cpus_flag: the command's flag for `cpus_per_trial`, which errors name

    Raises ValueError for values that make no sense on any machine.

    """

    workers: int | None = None
    cpus_per_trial: int = 1
    gpus_per_trial: float | None = None
    ray_address: str | None = None
    storage_path: str | None = None
    retries: int = 1
    tensorboard: bool = False
    cpus_flag: str = "--cpus-per-trial"

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 0:
            raise ValueError(f"--workers must be at least 0, got {self.workers}")
        if self.workers == 0 and self.ray_address is not None:
            raise ValueError(
                f"--workers 0 runs in this process, not on the cluster of --ray-address {self.ray_address}: remove one "
                "of the two flags"
            )
        if self.cpus_per_trial < 1:
            raise ValueError(f"{self.cpus_flag} must be at least 1, got {self.cpus_per_trial}")
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


@dataclass(frozen=True, slots=True)
class Resources:
    """An Execution fitted to a machine, with all numbers known.

    workers     trials at once, at least 1
    in_process  whether they run one after the other in this process, without Ray
    """

    workers: int
    cpus_per_trial: int
    gpus_per_trial: float
    in_process: bool = False

    def describe(self) -> str:
        """The number of trials at once, or that they run in this process, as text."""
        return _IN_PROCESS if self.in_process else f"{self.workers} at a time"


_IN_PROCESS = "one at a time, in this process"


def describe_workers(execution: Execution, workers: int | None) -> str:
    """The text of `Resources.describe` for a number of workers; empty if that is unknown."""
    if execution.workers == 0:
        return _IN_PROCESS
    return f"{workers} at a time" if workers else ""


def settle(execution: Execution, cores: int, gpus: float) -> Resources:
    """Fit an Execution to `cores` and `gpus`. Raises ValueError if it needs more than there is."""
    if execution.workers == 0:
        return replace(settle(replace(execution, workers=1), cores, gpus), in_process=True)
    cpus, flag = execution.cpus_per_trial, execution.cpus_flag
    if cpus > cores:
        raise ValueError(f"{flag} {cpus} is more than the {cores} cores there are: use at most {flag} {cores}")
    slots = cores // cpus
    if execution.workers is not None and execution.workers > slots:
        raise ValueError(
            f"--workers {execution.workers} with {flag} {cpus} needs {execution.workers * cpus} cores, "
            f"but there are {cores}: use at most --workers {slots}"
        )
    share = execution.gpus_per_trial
    if share is None:
        share = _even_share(gpus, execution.workers or slots)
    if share > gpus:
        raise ValueError(
            f"--gpus-per-trial {share:g} is more than the {gpus:g} GPUs there are: use fewer, or 0 to train on CPUs"
        )
    slots = min(slots, _gpu_slots(gpus, share, slots))
    if execution.workers is not None and execution.workers > slots:
        raise ValueError(
            f"--workers {execution.workers} with --gpus-per-trial {share:g} needs more than the {gpus:g} GPUs there "
            f"are: use at most --workers {slots}"
        )
    return Resources(execution.workers or slots, cpus, share)


def _even_share(gpus: float, trials: int) -> float:
    """Default GPUs of one trial: one, or a fraction with which all trials run at once."""
    if gpus < 1 or trials <= gpus:
        return float(min(gpus, 1))
    return 1 / math.ceil(trials / gpus)


def _gpu_slots(gpus: float, share: float, limit: int) -> int:
    if share == 0:
        return limit
    # A trial's fraction lies on one GPU: three trials of 0.4 need two GPUs.
    return int(gpus) * int(1 / share + 1e-9) if share <= 1 else int(gpus // share)


def settle_here(execution: Execution) -> Resources | None:
    """An Execution fitted to this machine; None on a cluster, whose resources are unknown before it is joined.

    Raises ValueError if it needs more than there is, or if nothing answers at the cluster's address.
    """
    if execution.ray_address:
        check_reachable(execution.ray_address)
        return None
    gpus = 0.0 if execution.gpus_per_trial == 0 else gpus_here()
    return settle(execution, available_cores(), gpus)


def check_reachable(address: str) -> None:
    """Raise ValueError unless something listens at host:port. Ray itself would retry for minutes."""
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=MAX_CONNECT_SECONDS).close()
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(f"--ray-address {address}: no Ray cluster answers there ({reason})") from None
