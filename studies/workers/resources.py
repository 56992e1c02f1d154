"""Where trials run, and with how many workers, cores and GPUs: the user's settings, fitted to a machine."""

from __future__ import annotations

import math
import socket
from dataclasses import dataclass, replace

from studies.machine import available_cores, gpus_here
from studies.workers.config import WorkersConfig

MAX_CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Resources:
    """Workers fitted to a machine, with all numbers known.

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


def describe_workers(workers: WorkersConfig, size: int | None) -> str:
    """The text of `Resources.describe` for `size` workers; empty if that is unknown."""
    if workers.number == 0:
        return _IN_PROCESS
    return f"{size} at a time" if size else ""


def settle(workers: WorkersConfig, cores: int, gpus: float) -> Resources:
    """Fit workers to `cores` and `gpus`. Raises ValueError if they need more than there is."""
    if workers.number == 0:
        return replace(settle(replace(workers, number=1), cores, gpus), in_process=True)
    cpus, flag = workers.cpus_per_trial, workers.cpus_flag
    if cpus > cores:
        raise ValueError(f"{flag} {cpus} is more than the {cores} cores there are: use at most {flag} {cores}")
    slots = cores // cpus
    if workers.number is not None and workers.number > slots:
        raise ValueError(
            f"--workers {workers.number} with {flag} {cpus} needs {workers.number * cpus} cores, "
            f"but there are {cores}: use at most --workers {slots}"
        )
    share = workers.gpus_per_trial
    if share is None:
        share = _even_share(gpus, workers.number or slots)
    if share > gpus:
        raise ValueError(
            f"--gpus-per-trial {share:g} is more than the {gpus:g} GPUs there are: use fewer, or 0 to train on CPUs"
        )
    slots = min(slots, _gpu_slots(gpus, share, slots))
    if workers.number is not None and workers.number > slots:
        raise ValueError(
            f"--workers {workers.number} with --gpus-per-trial {share:g} needs more than the {gpus:g} GPUs there "
            f"are: use at most --workers {slots}"
        )
    return Resources(workers.number or slots, cpus, share)


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


def settle_here(workers: WorkersConfig) -> Resources | None:
    """Workers fitted to this machine; None on a cluster, whose resources are unknown before it is joined.

    Raises ValueError if they need more than there is, or if nothing answers at the cluster's address.
    """
    if workers.ray_address:
        check_reachable(workers.ray_address)
        return None
    gpus = 0.0 if workers.gpus_per_trial == 0 else gpus_here()
    return settle(workers, available_cores(), gpus)


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
