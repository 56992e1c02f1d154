"""Several workers that train one network: as one process does, through kills, and with another number of them."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from studies.train.__main__ import main
from studies.train.job import TrainingJob, run_job
from studies.train.ray_train import TrainingWorkers, training_workers
from studies.trainer.evaluation import Evaluation
from studies.trainer.registry import get_recipe
from studies.workers.resources import Execution
from studies.workers.training_job import Training
from tests.studies.trainings import PATIENCE, TINY, curve, rows, started, wait_for_rows, words

# So gentle that the workers' order of summing does not show.
GENTLE = ("--lr", "0.001", "--epochs", "5")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def together() -> Iterator[TrainingWorkers]:
    """Two workers on one private Ray for all tests in this process."""
    with training_workers(Execution(workers=2, gpus_per_trial=0, retries=0)) as workers:
        yield workers


def job(folder: Path, **changes: Any) -> TrainingJob:
    recipe = get_recipe("quick").replace(batch_size=25, **changes)
    training = Training("fashion-mnist-mini", recipe, images=200, validation=100, folder=str(folder))
    return TrainingJob(TINY.replace(classes=10), 0, training)


def figures(curve: Sequence[Evaluation]) -> list[list[float]]:
    return [[row.epoch, row.train_loss, row.loss, row.accuracy] for row in curve]


def check_like(mine: Sequence[Sequence[Any]], theirs: Sequence[Sequence[Any]]) -> None:
    """A run's rows are the unbroken one's, to rounding."""
    for pair in zip(mine, theirs, strict=True):
        some, others = ([float(value) for value in row] for row in pair)
        assert some == pytest.approx(others, rel=5e-3, abs=0.02)


def test_two_workers_have_the_curve_of_one(together: TrainingWorkers, tmp_path: Path) -> None:
    """Ray Train, gloo on the loopback device, the same global batch; `quick` has neither augmentation nor dropout."""
    alone = list(run_job(job(tmp_path / "alone", lr=0.01, epochs=3), device="cpu"))
    work, seen = job(tmp_path / "together", lr=0.01, epochs=3), list[Evaluation]()
    together.train(work, seen.append)
    for mine, theirs in zip(figures(seen), figures(alone), strict=True):
        assert mine == pytest.approx(theirs, rel=2e-3)
    assert work.weights.exists()


def test_killed_or_with_a_worker_killed_it_resumes_from_its_checkpoint(arch: Path, tmp_path: Path) -> None:
    whole, run = tmp_path / "whole", tmp_path / "run"
    main(words(arch, whole, *GENTLE))
    with started(words(arch, run, *GENTLE, "--workers", "2")) as process:
        wait_for_rows(run, 1, process)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
    with started(words(arch, run, *GENTLE, "--workers", "2", "--retries", "1")) as process:
        wait_for_rows(run, 3, process)
        before = rows(run)
        worker, *others = (
            child for child in psutil.Process(process.pid).children(recursive=True) if "TrainWorker" in child.name()
        )
        assert len(others) == 1
        worker.kill()
        _, errors = process.communicate(timeout=2 * PATIENCE)
    assert (process.returncode, errors) == (0, "")
    assert (run / "seeds" / "seed0.safetensors").exists()
    # The seconds too: what was evaluated before was not trained again.
    assert rows(run)[: len(before)] == before
    check_like(curve(run), curve(whole))


def test_workers_resume_what_one_process_began_and_say_what_is_wrong(together: TrainingWorkers, tmp_path: Path) -> None:
    work, whole = (job(tmp_path / name, lr=0.001, epochs=4) for name in ("broken", "whole"))
    unbroken = list(run_job(whole, device="cpu"))
    alone = run_job(work, device="cpu")
    before = [next(alone), next(alone)]
    alone.close()
    state = work.checkpoint.read_bytes()
    seen: list[Evaluation] = []
    work.checkpoint.write_bytes(state[:1000])
    with pytest.raises(ValueError, match=r"seed0\.ckpt") as caught:
        together.train(work, seen.append)
    assert "\n" not in str(caught.value)
    work.checkpoint.write_bytes(state)
    together.train(work, seen.append)
    assert seen[:2] == before
    check_like(figures(seen), figures(unbroken))
