"""What a worker does with a job: trains the job's arch and yields a rung after each epoch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.arch import Arch
from studies.execution import Job, Rung
from studies.recipe import Recipe

if TYPE_CHECKING:
    from studies.data import Dataset


@dataclass(frozen=True)
class Training:
    """How a job's network is trained, beside the network and the seed.

    Attributes:
        dataset: Name of the data set.
        recipe: Epochs, optimiser and so on.
        images: Training images an epoch; 0 is all.
        data_root: Where downloaded data sets lie.
        split_seed: Of the split into training and validation images: the same for all trials that are compared.
        folder: Where checkpoints go (seen by every worker), so that a trial that died goes on; empty for none.
        keep_weights: Whether the trained weights stay there as safetensors.

    """

    dataset: str
    recipe: Recipe
    images: int = 0
    data_root: str = "data"
    split_seed: int = 0
    folder: str = ""
    keep_weights: bool = False

    def job(self, arch: Arch, seed: int) -> Job:
        """The job of training `arch` (as it is trained: the proxy's arch, not the full one) with `seed`."""
        return {"arch": arch.to_json(), "seed": seed, "training": dataclasses.asdict(self)}

    def checkpoint(self, arch: Arch, seed: int) -> Path | None:
        """Where the state of training `arch` with `seed` is kept while it lasts; None where nothing is kept."""
        return self._path(arch, seed, ".ckpt") if self.folder else None

    def weights(self, arch: Arch, seed: int) -> Path:
        """Where the trained weights of `arch` lie, the arch beside them as .json."""
        return self._path(arch, seed, ".safetensors")

    def _path(self, arch: Arch, seed: int, suffix: str) -> Path:
        return Path(self.folder) / f"{arch.key}-seed{seed}{suffix}"

    @classmethod
    def of(cls, job: Job) -> Training:
        """The training of a job (whose values went through JSON)."""
        fields: dict[str, Any] = dict(job["training"])
        return cls(recipe=Recipe(**fields.pop("recipe")), **fields)


def evaluate(job: Job) -> Iterator[Rung]:
    """Train the job's network; a rung an epoch, accuracy and loss on the validation images. Runs in the worker.

    A checkpoint of the same training is taken up where it ends. Whoever gives the jobs out removes checkpoints.
    """
    from studies.checkpoint import save_weights
    from studies.train import new_network, train

    training, arch, seed = Training.of(job), Arch.from_json(job["arch"]), int(job["seed"])
    data = _dataset(training.dataset, training.data_root, training.split_seed)
    network = new_network(arch, training.recipe, seed)
    for evaluation in train(
        network,
        data,
        training.recipe,
        seed=seed,
        resolution=arch.resolution,
        images=training.images,
        checkpoint=training.checkpoint(arch, seed),
    ):
        yield {
            "step": evaluation.step,
            "accuracy": evaluation.accuracy,
            "loss": evaluation.loss,
            "images": evaluation.images,
            "seconds": round(evaluation.train_seconds + evaluation.eval_seconds, 3),
        }
    if training.keep_weights:
        save_weights(network, arch, training.weights(arch, seed))


@lru_cache(maxsize=2)
def _dataset(name: str, root: str, seed: int) -> Dataset:
    """A worker reads its data once, however many trials it trains."""
    from studies.data import load

    return load(name, seed=seed, root=root)
