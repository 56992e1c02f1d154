"""What a worker does with a job: trains the job's network, or its proxy, and yields a rung after each epoch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.networks.arch import Arch
from studies.data.config import DataConfig
from studies.data.registry import FOLDER_PREFIX
from studies.outcome import Outcome, Rung
from studies.timing.step_time import StepTimes, step_times_of
from studies.trainer.evaluation import Evaluation
from studies.trainer.recipe import Proxy, Recipe
from studies.workers.protocol import Job

if TYPE_CHECKING:
    from studies.data.dataset import Dataset
    from studies.ledger.trial import Record


@dataclass(frozen=True)
class Training:
    """How the networks of some jobs are trained; travels with every job as JSON.

    Commands make it with `Training.of`, because a worker may run in another folder than its driver.

    Attributes:
        dataset: Name of the data set.
        recipe: Optimiser, schedule, epochs and so on.
        proxy: The cheaper network that is trained, for its own images and epochs; None trains the network itself.
        data_root: Where downloaded data sets lie.
        images: Training images of one epoch where there is no proxy; 0 is all of them.
        validation: Images held out of training; by default a fifth, at most 10 000.
        split_seed: Of the split into training and validation images: the same for all trials that are compared.
        folder: Where checkpoints go, on a disk that every worker sees, so that a trial resumes; empty for none.
        keep_weights: Whether the trained weights stay there as safetensors.
        test: Whether the trained network is scored on the test images, under "test_accuracy" in the last rung.
        step_times: How the full network's training-step time is measured, if it is asked for; it is in every rung.
        corrupt: Files of an image folder that the driver could not read, so that no worker checks them again.

    """

    dataset: str
    recipe: Recipe
    proxy: Proxy | None = None
    data_root: str = "data"
    images: int = 0
    validation: int | None = None
    split_seed: int = 0
    folder: str = ""
    keep_weights: bool = False
    test: bool = False
    step_times: StepTimes | None = None
    corrupt: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        config: DataConfig,
        data: Dataset,
        recipe: Recipe,
        folder: Path,
        *,
        proxy: Proxy | None = None,
        images: int = 0,
        validation: int = 0,
        step_times: StepTimes | None = None,
    ) -> Training:
        """The training of a command's networks, with absolute paths only, whatever the worker's folder.

        Args:
            config: where the images are; its seed splits them
            data: the images as the driver has read them from there
            recipe: how networks are trained
            folder: for checkpoints and weights
            proxy: the cheaper network that is trained
            images: training images of one epoch; 0 is all of them
            validation: images held out of training; 0 is a fifth, at most 10 000
            step_times: how the training-step time of full networks is measured, if it is asked for

        """
        dataset, corrupt = _absolute_dataset(config.dataset, data.corrupt)
        return cls(
            dataset=dataset,
            recipe=recipe,
            proxy=proxy,
            data_root=str(Path(config.data_root).resolve()),
            images=images,
            validation=validation or None,
            split_seed=config.seed,
            folder=str(folder.resolve()),
            step_times=step_times,
            corrupt=corrupt,
        )

    def payload(self) -> dict[str, Any]:
        """What joins a job: it needs "arch" (the full network as JSON) and "seed" beside this.

        A job's notes may hold "recipe", fields of the recipe that are another for this network.
        """
        return {"training": dataclasses.asdict(self)}

    @classmethod
    def from_job(cls, job: Job) -> Training:
        """The training of a job."""
        fields: dict[str, Any] = dict(job["training"])
        recipe, proxy, corrupt = (fields.pop(name) for name in ("recipe", "proxy", "corrupt"))
        fields["step_times"] = step_times_of(fields["step_times"])
        return cls(recipe=Recipe(**recipe), proxy=Proxy(**proxy) if proxy else None, corrupt=tuple(corrupt), **fields)

    def trained(self, full: Arch) -> Arch:
        """The network that is trained for a full one."""
        return self.proxy.arch(full) if self.proxy else full

    @property
    def schedule(self) -> Recipe:
        """The recipe with the epochs that are trained."""
        return self.proxy.recipe(self.recipe) if self.proxy else self.recipe

    def data(self) -> Dataset:
        """The data set, split as it is for this training; a process reads the same one once."""
        return _dataset(self.dataset, self.data_root, self.split_seed, self.validation, self.corrupt)

    def checkpoint(self, key: str, seed: int) -> Path | None:
        """Where the state of training the network `key` with `seed` is kept while it lasts; None: nowhere."""
        return self._path(key, seed, ".ckpt") if self.folder else None

    def discard(self, record: Record) -> None:
        """Remove the checkpoint of a training that is over and counts; an interrupted one resumes from its own."""
        checkpoint = self.checkpoint(record.key, record.seed)
        if checkpoint and record.is_final:
            checkpoint.unlink(missing_ok=True)

    def weights(self, key: str, seed: int) -> Path:
        """Where the trained weights for the network `key` lie, the arch that was trained beside them as .json."""
        return self._path(key, seed, ".safetensors")

    def _path(self, key: str, seed: int, suffix: str) -> Path:
        return Path(self.folder) / f"{key}-seed{seed}{suffix}"


def evaluate(job: Job) -> Iterator[Rung]:
    """Train the job's network; a rung an epoch, accuracy and loss on the validation images. Runs in the worker.

    On a GPU a rung has its peak memory in bytes as well; where step times are asked for, those of the full network,
    taken before it is trained (see `studies.timing.step_time`).

    A checkpoint of the same training is resumed. The driver removes checkpoints.
    """
    from studies.trainer.checkpoint import save_weights
    from studies.trainer.early_stopping import should_stop
    from studies.trainer.loop import new_network, train
    from studies.trainer.scoring import score_on_test

    training, full, seed = Training.from_job(job), Arch.from_json(job["arch"]), int(job["seed"])
    arch, recipe = training.trained(full), training.schedule.replace(**job.get("notes", {}).get("recipe", {}))
    data = training.data()
    timing = training.step_times.facts(full, training.recipe) if training.step_times else {}
    network = new_network(arch, recipe, seed)
    _gpu_memory()  # the peak of whatever ran here before is not this trial's
    images = training.proxy.images if training.proxy else training.images
    checkpoint = training.checkpoint(full.key, seed)
    curve: list[Evaluation] = []
    for evaluation in train(
        network, data, recipe, seed=seed, resolution=arch.resolution, images=images, checkpoint=checkpoint
    ):
        rung = _rung(evaluation) | timing
        curve.append(evaluation)
        last = evaluation.step == recipe.epochs or should_stop(curve, recipe)
        if not last:
            yield rung
    # The network holds what is judged, the average where there is one, only now that its training is over.
    if training.test and evaluation.outcome is Outcome.COMPLETE:
        tested = score_on_test(network, data, resolution=arch.resolution, precision=recipe.precision)
        rung["test_accuracy"] = tested.top1
    if last:
        yield rung
    if training.keep_weights:
        save_weights(network, arch, training.weights(full.key, seed))


def _rung(evaluation: Evaluation) -> Rung:
    return {
        "step": evaluation.step,
        "outcome": evaluation.outcome,
        "accuracy": evaluation.accuracy,
        "loss": evaluation.loss,
        "images": evaluation.images,
        "seconds": round(evaluation.train_seconds + evaluation.eval_seconds, 3),
        "train_seconds": round(evaluation.train_seconds, 3),
        "cpu_seconds": round(evaluation.cpu_seconds, 3),
        **_gpu_memory(),
    }


def _gpu_memory() -> dict[str, int]:
    """Peak bytes that tensors took on this worker's GPU since the last rung; nothing where there is no GPU."""
    import torch

    if not torch.cuda.is_available():
        return {}
    peak = torch.cuda.max_memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    return {"gpu_memory": peak}


def _absolute_dataset(name: str, corrupt: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """A data set's name and its corrupt files, with the image folder's absolute path in both."""
    if not name.startswith(FOLDER_PREFIX):
        return name, tuple(corrupt)
    folder = Path(name.removeprefix(FOLDER_PREFIX))
    there = folder.resolve()
    # Only the folder is resolved: links inside it keep the names under which the workers will find them.
    return f"{FOLDER_PREFIX}{there}", tuple(str(there / Path(path).relative_to(folder)) for path in corrupt)


@lru_cache(maxsize=2)
def _dataset(name: str, root: str, seed: int, validation: int | None, corrupt: tuple[str, ...]) -> Dataset:
    from studies.data.load import load

    return load(name, seed=seed, validation=validation, root=root, corrupt=corrupt)
