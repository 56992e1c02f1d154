"""Every use of Ray's internals, with the reason for each. Checked with Ray 2.60; no other file may touch them.

A release of Ray may change any of them: the tests in tests/studies/workers notice, because they run a private Ray.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray
from ray.tune.experiment import Trial


@contextmanager
def loopback_only() -> Iterator[None]:
    """While entered, a Ray that is started at 127.0.0.1 listens there only.

    On Linux `ray.init` replaces a loopback address by the machine's own (`ray._private.services`,
    `resolve_ip_for_localhost`), so that other machines could join, and a private Ray would be open to the network. It
    keeps the address only where clusters are switched off. RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0 switches them off too,
    but is read once, when Ray is imported.
    """
    constants = ray._private.ray_constants
    before = constants.ENABLE_RAY_CLUSTER
    constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        constants.ENABLE_RAY_CLUSTER = before


@contextmanager
def quiet() -> Iterator[None]:
    """While entered, Ray prints nothing.

    The driver's background thread prints through `ray._private.worker.print_to_stdstream` when a worker dies, even with
    log_to_driver=False. That would break our own display; the failure is in the trial's record anyway.
    """
    logger, worker = logging.getLogger("ray"), ray._private.worker
    level, printer = logger.level, worker.print_to_stdstream
    logger.setLevel(logging.CRITICAL)
    worker.print_to_stdstream = _print_nothing
    try:
        yield
    finally:
        logger.setLevel(level)
        worker.print_to_stdstream = printer


def start(folder: str, **options: Any) -> None:
    """Start a Ray on the loopback device with its sockets and logs in `folder`; other options as for `ray.init`.

    `ray.init` has no public argument for either. The default folder, /tmp/ray, is shared by all users of a machine.
    """
    with loopback_only():
        ray.init(_node_ip_address="127.0.0.1", _temp_dir=folder, **options)


def release_memory(trial: Trial) -> None:
    """Drop what Ray Tune keeps of a trial that is over.

    Tune holds all trials until the end, and has no option to forget one. These fields are half of what each takes; with
    thousands of trials the driver would otherwise grow by hundreds of MiB (benchmarks/orchestration.py measures it).
    """
    trial.set_config({})
    trial.set_experiment_tag("")
    trial.evaluated_params = {}
    trial.run_metadata.last_result = {}
    trial.run_metadata.metric_analysis = {}
    trial.run_metadata.metric_n_steps = {}


def worker_exception(failure: BaseException) -> BaseException:
    """The exception that a worker of Ray Train raised.

    Ray Train wraps it in `UserExceptionWithTraceback`, whose only access to it is `_base_exc`; Ray's own errors have it
    in `cause`.
    """
    found = getattr(failure, "_base_exc", failure)
    return getattr(found, "cause", None) or found


def _print_nothing(*_data: Any, **_options: Any) -> None: ...
