"""Several workers that train one network: as one process does, through kills, and with another number of them."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from studies.train.__main__ import main
from studies.train.job import TrainingJob, run_job
from studies.train.ray_train import TrainingWorkers, training_workers
from studies.trainer.registry import get_recipe
from studies.workers.config import WorkersConfig
from studies.workers.training_job import Training
from tests.studies.trainings import PATIENCE, TINY, curve, rows, started, wait_for_rows, words

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def together() -> Iterator[TrainingWorkers]:
    """Two workers on one private Ray for all tests in this process; the command uses that Ray too."""
    with training_workers(WorkersConfig(number=2, gpus_per_trial=0, retries=0)) as workers:
        yield workers


def job(folder: Path, **changes: Any) -> TrainingJob:
    recipe = get_recipe("quick").replace(batch_size=25, **changes)
    training = Training("fashion-mnist-mini", recipe, images=200, validation=100, folder=str(folder))
    return TrainingJob(TINY.replace(classes=10), 0, training)


def check_like(mine: Sequence[Sequence[Any]], theirs: Sequence[Sequence[Any]], **tolerance: float) -> None:
    """A run's rows are the unbroken one's, to rounding."""
    for pair in zip(mine, theirs, strict=True):
        some, others = ([float(value) for value in row] for row in pair)
        assert some == pytest.approx(others, **tolerance)


class WorkerKiller(threading.Thread):
    """Kills one of the two processes that train for this one, once its run has more rows than `rows`."""

    def __init__(self, run: Path, rows: int) -> None:
        super().__init__(daemon=True)
        self.run_folder, self.rows, self.killed = run, rows, 0

    def run(self) -> None:
        while len(rows(self.run_folder)) <= self.rows:
            time.sleep(0.02)
        (first, _) = (one for one in psutil.Process().children(recursive=True) if "TrainWorker" in one.name())
        first.kill()
        self.killed = first.pid


def test_by_two_workers_by_one_process_and_by_two_again(together: TrainingWorkers, arch: Path, tmp_path: Path) -> None:
    """Both commands are killed and so is one of the last workers: the curve is that of one unbroken process.

    Ray Train, gloo on the loopback device, the same global batch; `quick` has neither augmentation nor dropout.
    """
    whole, run, more = tmp_path / "whole", tmp_path / "run", ("--lr", "0.01", "--epochs", "12")
    main(words(arch, whole, *more))
    for workers, least in (("2", 3), ("1", 5)):
        with started(words(arch, run, *more, "--workers", workers)) as process:
            wait_for_rows(run, least, process)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=PATIENCE)
    before = rows(run)
    killer = WorkerKiller(run, len(before))
    killer.start()
    assert main(words(arch, run, *more, "--workers", "2", "--retries", "1")) == 0
    assert killer.killed
    assert (run / "seeds" / "seed0.safetensors").exists()
    # The seconds too: what was evaluated before was not trained again.
    assert rows(run)[: len(before)] == before
    check_like(curve(run)[:3], curve(whole)[:3], rel=2e-3)
    check_like(curve(run)[3:], curve(whole)[3:], rel=5e-3, abs=0.02)


def test_what_a_worker_finds_wrong_is_one_line(together: TrainingWorkers, tmp_path: Path) -> None:
    work = job(tmp_path, epochs=2)
    training = run_job(work, device="cpu")
    next(training)
    training.close()
    work.checkpoint.write_bytes(work.checkpoint.read_bytes()[:1000])
    resources = replace(together.cluster.resources, workers=1)
    alone = replace(together, cluster=replace(together.cluster, resources=resources))
    with pytest.raises(ValueError, match=r"seed0\.ckpt") as caught:
        alone.train(work, lambda evaluation: None)
    assert "\n" not in str(caught.value)
