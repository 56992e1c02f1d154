"""Starting and stopping a private Ray, or joining one that is there."""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import ray

from search_spaces.common.user_code import folders, sources
from studies.machine import available_cores, gpus_here, process_start
from studies.workers.config import WorkersConfig
from studies.workers.ray_patches import quiet, start
from studies.workers.resources import Resources, check_reachable, settle

PACKAGES = ("search_spaces", "studies", "nas", "scaling")
OBJECT_STORE_BYTES = 256 * 2**20
_PREFIX = "triaxis-ray-"
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
}
_BEHAVIOUR = {
    # Ray gives its workers the lowest priority; beside anything else that is busy they would hardly run.
    "RAY_worker_niceness": "0",
    # A trial without a GPU sees none. By default Ray would let it see all of them, and it would train there.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
    # Signals are ours (interrupts.py), and so is durability: Tune need not write its state down all the time.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",
    "TUNE_FORCE_TRIAL_CLEANUP_S": "10",
    # Users' relative paths mean the folder they started in.
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
}

_PRIVATE = {
    # Nobody takes this machine away, and the end of a short training need not wait two seconds to be seen.
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.5",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Ray to run on: what trials get, and where Tune may write."""

    resources: Resources
    storage_path: str


@contextmanager
def connect(workers: WorkersConfig, storage_path: str | None = None, code: Collection[str] = ()) -> Iterator[Cluster]:
    """Join the cluster at `ray_address`, or start a Ray on this machine that listens on the loopback device only.

    `storage_path` is a folder for Ray Tune's own files, shared by a cluster's machines; by default a temporary one.
    Workers can import the user's own `code`, names such as my_images:load: on this machine they search its folders; to
    a cluster its modules and packages travel beside ours. Raises ValueError for an address that cannot be joined, or if
    more is asked for than there is.
    """
    with ExitStack() as stack:
        resources = None if workers.ray_address else _settle_here(workers)
        stack.enter_context(_environment({**_QUIET, **_BEHAVIOUR, **_threads(workers.cpus_per_trial)}))
        stack.enter_context(quiet())
        folder = stack.enter_context(_temporary_folder())
        if resources is None:
            _join(workers, code)
            stack.callback(ray.shutdown)
            total = ray.cluster_resources()
            resources = settle(workers, int(total.get("CPU", 0)), total.get("GPU", 0.0))
        elif not ray.is_initialized():
            stack.enter_context(_environment({**_PRIVATE, **_search_path(folders(code))}))
            _start(resources, folder)
            stack.callback(ray.shutdown)
        stack.enter_context(_environment({"TUNE_MAX_PENDING_TRIALS_PG": str(resources.workers)}))
        yield Cluster(resources, storage_path or str(Path(folder) / "tune"))


def _settle_here(workers: WorkersConfig) -> Resources:
    gpus = 0.0 if workers.gpus_per_trial == 0 else gpus_here()
    return settle(workers, available_cores(), gpus)


def _start(resources: Resources, folder: str) -> None:
    start(
        folder,
        num_cpus=resources.workers * resources.cpus_per_trial,
        num_gpus=int(gpus_here()) if resources.gpus_per_trial else 0,
        include_dashboard=False,
        object_store_memory=OBJECT_STORE_BYTES,
        log_to_driver=False,
        logging_level=logging.CRITICAL,
    )


def _join(workers: WorkersConfig, code: Collection[str]) -> None:
    address = str(workers.ray_address)
    check_reachable(address)
    modules = [*_package_folders(), *(str(path) for path in sources(code).values())]
    travel = {"py_modules": modules, "env_vars": {**_BEHAVIOUR, **_threads(workers.cpus_per_trial)}}
    try:
        ray.init(address=address, runtime_env=travel, log_to_driver=False, logging_level=logging.CRITICAL)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"--ray-address {address}: cannot join a Ray cluster there ({_first_line(error)}); if it asks for a token, "
            "set RAY_AUTH_TOKEN_PATH or RAY_AUTH_TOKEN as on its machines"
        ) from None


def _package_folders() -> list[str]:
    """Folders of our own packages, wherever they are installed."""
    specs = [importlib.util.find_spec(name) for name in PACKAGES]
    return [next(iter(spec.submodule_search_locations)) for spec in specs if spec and spec.submodule_search_locations]


def _search_path(more: Collection[str]) -> dict[str, str]:
    """The environment in which Python finds modules in these folders too."""
    known = os.environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": os.pathsep.join(filter(None, [*more, known]))} if more else {}


def _threads(count: int) -> dict[str, str]:
    return {name: str(count) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Environment variables for Ray and the processes it starts, put back afterwards."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _temporary_folder() -> Iterator[str]:
    """A folder for Ray's sockets and logs, removed afterwards, with those that killed drivers left behind.

    Its path is short: a socket's path may have 107 characters at most, and Ray appends 60.
    """
    base = Path(tempfile.gettempdir())
    if len(str(base)) > 20:
        base = Path("/tmp")
    for left in base.glob(f"{_PREFIX}*"):
        if left.name.split("-")[2].isdigit() and not process_start(int(left.name.split("-")[2])):
            shutil.rmtree(left, ignore_errors=True)
    folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
