"""The training of a job's network, or of its proxy, in a worker: it yields a rung after each epoch."""

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
    """How the networks of some jobs are trained. Every job has it, as JSON.

    Commands make it with `Training.of`, which makes paths absolute: a worker may run in another folder than its driver.

    Attributes:
        dataset: Name of the data set.
        recipe: Optimizer, schedule, epochs and so on.
        proxy: The cheaper network that is trained, with its own images and epochs; None trains the network itself.
        data_root: Folder of downloaded data sets.
        images: Training images of one epoch without a proxy; 0 is all of them.
        validation: Images held out of training; by default a fifth, at most 10 000.
        split_seed: Seed of the split into training and validation images, the same for all trials that are compared.
        folder: Folder of checkpoints, on a disk that every worker sees, so that trials can resume; empty for none.
        keep_weights: Whether the trained weights are kept there as safetensors.
        test: Whether the trained network is scored on the test images; the last rung then has "test_accuracy".
        step_times: How the full network's training-step time is measured, for every rung; None does not measure it.
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
        split_seed: int = 0,
        images: int = 0,
        validation: int = 0,
        step_times: StepTimes | None = None,
    ) -> Training:
        """The training of a command's networks, with absolute paths only.

        Args:
            config: names the images
            data: these images, as the driver has read them
            recipe: how networks are trained
            folder: for checkpoints and weights
            proxy: the cheaper network that is trained
            split_seed: of the split into training and validation images
            images: training images of one epoch; 0 is all of them
            validation: images held out of training; 0 is a fifth, at most 10 000
            step_times: how the training-step time of full networks is measured; None does not measure it

        """
        dataset, corrupt = _absolute_dataset(config.dataset, data.corrupt)
        return cls(
            dataset=dataset,
            recipe=recipe,
            proxy=proxy,
            data_root=str(Path(config.root).resolve()),
            images=images,
            validation=validation or None,
            split_seed=split_seed,
            folder=str(folder.resolve()),
            step_times=step_times,
            corrupt=corrupt,
        )

    def payload(self) -> dict[str, Any]:
        """The training as a part of a job, which also needs "arch" (the full network as JSON) and "seed".

        A job's "notes" may have a "recipe": fields of the recipe with other values for this network.
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
        """The recipe for the epochs that are trained."""
        return self.proxy.recipe(self.recipe) if self.proxy else self.recipe

    def data(self) -> Dataset:
        """The data set, split for this training. A process reads it once."""
        return _dataset(self.dataset, self.data_root, self.split_seed, self.validation, self.corrupt)

    def checkpoint(self, key: str, seed: int) -> Path | None:
        """The checkpoint of training the network `key` with `seed`; None if no checkpoints are kept."""
        return self._path(key, seed, ".ckpt") if self.folder else None

    def discard(self, record: Record) -> None:
        """Remove the checkpoint of a finished training; an interrupted one is resumed from its checkpoint."""
        checkpoint = self.checkpoint(record.key, record.seed)
        if checkpoint and record.is_final:
            checkpoint.unlink(missing_ok=True)

    def weights(self, key: str, seed: int) -> Path:
        """The file of the weights trained for the network `key`; the arch that was trained is beside it, as .json."""
        return self._path(key, seed, ".safetensors")

    def _path(self, key: str, seed: int, suffix: str) -> Path:
        return Path(self.folder) / f"{key}-seed{seed}{suffix}"


def evaluate(job: Job) -> Iterator[Rung]:
    """Train the job's network in this process. Yields a rung per epoch, with accuracy and loss on validation images.

    On a GPU a rung also has the peak memory in bytes. If step times are measured, it has those of the full network,
    measured before the training (see `studies.timing.step_time`). The training resumes from its checkpoint, if there is
    one; the driver removes checkpoints.
    """
    from studies.data.splits import View
    from studies.trainer.checkpoint import save_weights
    from studies.trainer.early_stopping import should_stop
    from studies.trainer.loop import new_network, train
    from studies.trainer.scoring import choose_device, score_on_test

    training, full, seed = Training.from_job(job), Arch.from_json(job["arch"]), int(job["seed"])
    arch, recipe = training.trained(full), training.schedule.replace(**job.get("notes", {}).get("recipe", {}))
    data = training.data()
    timing = training.step_times.facts(full, training.recipe) if training.step_times else {}
    network = new_network(arch, recipe, seed)
    _gpu_memory()  # resets the peak that an earlier trial left
    images = training.proxy.images if training.proxy else training.images
    checkpoint = training.checkpoint(full.key, seed)
    curve: list[Evaluation] = []
    view = View(arch.resolution, choose_device())
    for evaluation in train(network, data, recipe, seed=seed, view=view, images=images, checkpoint=checkpoint):
        rung = _rung(evaluation) | timing
        curve.append(evaluation)
        last = evaluation.step == recipe.epochs or should_stop(curve, recipe)
        if not last:
            yield rung
    # Only now, after its training, the network has its final weights: the average, if the recipe has ema_decay.
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
    """Peak memory of tensors on this worker's GPU since the last call, in bytes; empty without a GPU."""
    import torch

    if not torch.cuda.is_available():
        return {}
    peak = torch.cuda.max_memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    return {"gpu_memory": peak}


def _absolute_dataset(name: str, corrupt: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """A data set's name and its corrupt files, both with the absolute path of an image folder."""
    if not name.startswith(FOLDER_PREFIX):
        return name, tuple(corrupt)
    folder = Path(name.removeprefix(FOLDER_PREFIX))
    absolute = folder.resolve()
    # Only the folder is resolved: links inside it keep the names under which the workers will find them.
    return f"{FOLDER_PREFIX}{absolute}", tuple(str(absolute / Path(path).relative_to(folder)) for path in corrupt)


@lru_cache(maxsize=2)
def _dataset(name: str, root: str, seed: int, validation: int | None, corrupt: tuple[str, ...]) -> Dataset:
    from studies.data.load import load

    return load(name, seed=seed, validation=validation, root=root, corrupt=corrupt)
