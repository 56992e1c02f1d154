"""One training of one network with one seed: what `python -m studies.train` has done, here or by several workers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from search_spaces.networks.arch import Arch
from studies.outcome import Outcome
from studies.trainer.evaluation import Evaluation
from studies.workers.training_job import Training

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class TrainingJob:
    """A network, its seed and how it is trained; pickled, it travels to workers.

    arch      trained as it is, at its own resolution
    seed      of weights, order of images, augmentation, dropout
    training  data, recipe and the folder of checkpoint and weights, which all workers see
    init      file of weights to begin with; empty for fresh ones
    """

    arch: Arch
    seed: int
    training: Training
    init: str = ""

    @property
    def checkpoint(self) -> Path:
        """The state of the training while it lasts."""
        return self._path(".ckpt")

    @property
    def weights(self) -> Path:
        """The trained weights; the arch lies beside them as .json."""
        return self._path(".safetensors")

    def _path(self, suffix: str) -> Path:
        return Path(self.training.folder) / f"seed{self.seed}{suffix}"


def run_job(
    work: TrainingJob, *, rank: int = 0, world_size: int = 1, device: str | torch.device | None = None
) -> Iterator[Evaluation]:
    """Train; an Evaluation an epoch. At the end rank 0 writes the weights, unless a loss was not finite.

    It resumes from a checkpoint of the same training. Raises ValueError for weights or a checkpoint that do not fit.
    """
    from studies.data.splits import View
    from studies.trainer.checkpoint import save_weights
    from studies.trainer.loop import new_network, train
    from studies.trainer.pretrained import initialise_from
    from studies.trainer.scoring import choose_device

    training, outcome = work.training, Outcome.COMPLETE
    network = new_network(work.arch, training.recipe, work.seed)
    if work.init:
        initialise_from(network, work.init)
    for evaluation in train(
        network,
        training.data(),
        training.recipe,
        seed=work.seed,
        view=View(work.arch.resolution, choose_device(device), rank=rank, world_size=world_size),
        images=training.images,
        checkpoint=work.checkpoint,
    ):
        outcome = evaluation.outcome
        yield evaluation
    if rank == 0 and outcome is Outcome.COMPLETE:
        save_weights(network, work.arch, work.weights)
