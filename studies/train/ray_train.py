"""Ray Train runs one training on several workers; their process group is torch's (gloo on CPUs, NCCL on GPUs).

Ray Train starts the workers, connects them and reports when one died. Checkpoints, curve and weights are our own files,
as for a training in one process, so that either resumes what the other began.
"""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray.train
import torch
from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer, get_device

from search_spaces.common.files import atomic_write
from studies.outcome import Outcome, describe_error
from studies.train.job import TrainingJob, run_job
from studies.trainer.evaluation import Evaluation
from studies.trainer.gradients import compute_type
from studies.trainer.memory import MemoryDemand, check_memory, free_memory
from studies.workers.config import WorkersConfig
from studies.workers.interrupts import terminations_as_interrupts
from studies.workers.ray_cluster import Cluster, connect
from studies.workers.ray_patches import worker_exception
from studies.workers.worker import set_threads

Watch = Callable[[Evaluation], None]
POLL_SECONDS = 0.2
# Gloo would take the device of the host's name; a private Ray is on the loopback device only.
LOOPBACK = {"GLOO_SOCKET_IFNAME": "lo"}


@dataclass(frozen=True)
class TrainingWorkers:
    """Workers on a Ray that is running: made by `training_workers`."""

    cluster: Cluster
    environment: dict[str, str]
    retries: int
    # Whether the workers are on machines whose memory the driver cannot see.
    elsewhere: bool = False

    def train(self, work: TrainingJob, watch: Watch) -> None:
        """Train; `watch` gets every evaluation, from another thread while the training runs.

        After a worker died the training resumes from its checkpoint, up to `retries` times. Raises ValueError for
        what a worker found wrong with its input, KeyboardInterrupt on SIGINT or SIGTERM.
        """
        resources = self.cluster.resources
        trainer = TorchTrainer(
            _work,
            train_loop_config={"work": work, "threads": resources.cpus_per_trial, "elsewhere": self.elsewhere},
            scaling_config=ScalingConfig(
                num_workers=resources.workers,
                use_gpu=resources.gpus_per_trial > 0,
                resources_per_worker={"CPU": resources.cpus_per_trial, "GPU": resources.gpus_per_trial},
            ),
            run_config=RunConfig(
                storage_path=str(Path(self.cluster.storage_path).resolve()),
                failure_config=FailureConfig(max_failures=self.retries),
                worker_runtime_env={"env_vars": self.environment},
            ),
        )
        curve = _Curve(work, watch)
        with terminations_as_interrupts(), curve:
            try:
                trainer.fit()
            except SystemExit:
                # Ray Train's answer to SIGINT, once its workers are gone.
                raise KeyboardInterrupt from None
            except ray.train.TrainingFailedError as error:
                raise _cause(error) from None


@contextmanager
def training_workers(workers: WorkersConfig, code: Collection[str] = ()) -> Iterator[TrainingWorkers]:
    """Workers as the settings describe them, on a private Ray of the loopback device, or on a cluster.

    They can import the user's own `code`, names such as my_images:load.
    """
    with connect(workers, code=code) as cluster:
        share = cluster.resources.gpus_per_trial
        if 0 < share < 1:
            raise ValueError(
                f"--workers {cluster.resources.workers}: each needs a GPU of its own; ask for no more than there are, "
                "or --device cpu"
            )
        threads = {"OMP_NUM_THREADS": str(cluster.resources.cpus_per_trial)}
        elsewhere = workers.ray_address is not None
        yield TrainingWorkers(cluster, threads | ({} if elsewhere else LOOPBACK), workers.retries, elsewhere)


def _work(config: dict[str, Any]) -> None:
    """What every worker runs; the first one writes the curve."""
    set_threads(config["threads"])
    context, work = ray.train.get_context(), config["work"]
    rank, size = context.get_world_rank(), context.get_world_size()
    if config["elsewhere"]:
        check_here(work, size, get_device(), context.get_local_world_size())
    curve: list[Evaluation] = []
    for evaluation in run_job(work, rank=rank, world_size=size, device=get_device()):
        curve.append(evaluation)
        if rank == 0:
            write_curve(curve_file(work), curve)


def check_here(work: TrainingJob, workers: int, device: torch.device, beside: int) -> None:
    """Raise ValueError if the training does not fit this machine, whose RAM `beside` workers share."""
    recipe = work.training.recipe
    free_bytes = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory("cpu", beside)
    mixed = compute_type(recipe.precision, device) is not torch.float32
    check_memory(MemoryDemand(work.arch, recipe, workers), free_bytes, mixed=mixed)


class _Curve:
    """While entered, passes on every evaluation that the first worker writes."""

    def __init__(self, work: TrainingJob, watch: Watch) -> None:
        self._path, self._watch, self._passed = curve_file(work), watch, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> None:
        self._path.unlink(missing_ok=True)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._pass_on()
        self._path.unlink(missing_ok=True)

    def _follow(self) -> None:
        while not self._over.wait(POLL_SECONDS):
            self._pass_on()

    def _pass_on(self) -> None:
        curve = read_curve(self._path)
        for evaluation in curve[self._passed :]:
            self._watch(evaluation)
        # After a worker's death the curve starts again with evaluations that were passed on before.
        self._passed = max(self._passed, len(curve))


def curve_file(work: TrainingJob) -> Path:
    """Where the first worker writes the curve."""
    return work.checkpoint.with_suffix(".curve.json")


def write_curve(path: Path, curve: Sequence[Evaluation]) -> None:
    """Write evaluations as JSON, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, json.dumps([dataclasses.asdict(row) for row in curve]))


def read_curve(path: Path) -> list[Evaluation]:
    """Read what `write_curve` wrote; nothing where there is no file."""
    if not path.exists():
        return []
    return [Evaluation(**row | {"outcome": Outcome(row["outcome"])}) for row in json.loads(path.read_text())]


def _cause(error: ray.train.TrainingFailedError) -> Exception:
    """The user's mistake that a worker found, if that is what ended the training; else one line about the failure."""
    failures = getattr(error, "worker_failures", {})
    for failure in failures.values():
        found = worker_exception(failure)
        if isinstance(found, ValueError):
            return ValueError(str(found))
    first = next(iter(failures.values()), error)
    return RuntimeError(f"the workers failed: {describe_error(first)}")
