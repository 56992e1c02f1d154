"""The settings of a training: `python -m studies.train`. Imports nothing heavy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from search_spaces.common.checks import as_flags, check_minimum
from studies.data.registry import BUNDLED
from studies.trainer.recipe import Recipe
from studies.trainer.registry import get_recipe
from studies.workers.resources import Execution

MINIMUM = {
    "resolution": 0, "images": 0, "epochs": 0, "batch_size": 0, "validation": 0, "seeds": 1, "seed": 0, "retries": 0,
    "workers": 1, "cpus_per_worker": 0, "patience": 0, "micro_batch": 0,
}  # fmt: skip
# Settings that say where and on what to train, not what: a run may go on with others.
RESUMABLE = frozenset({
    "workers", "cpus_per_worker", "ray_address", "retries", "device", "data_root", "seeds", "run", "new", "dry_run",
})  # fmt: skip
# Settings of the recipe that are its own unless given.
RECORDED_AS_ASKED = ("lr", "patience", "precision", "clip_norm")
# A run that has more of these has what is asked for.
EXTENDABLE = frozenset({"seeds"})


@dataclass(frozen=True)
class TrainConfig:
    """A network trained on somebody's images.

    Attributes:
        arch: Network: an arch file such as runs/search/best.json, or one by name: triaxis_small, efficientnet_b0 to _b8
            and _l2, efficientnetv2_b0 to _b3, _s, _m, _l and _xl, mnasnet_a1, mnasnet_b1, mobilenet_v1, mobilenet_v2,
            resnet18, 34, 50, 101 or 152.
        dataset: fashion-mnist-mini (bundled), fashion-mnist, cifar10, cifar100, or imagefolder:DIR.
        data_root: Where downloaded data sets lie.
        recipe: How it is trained, by name: quick, standard, one-cycle, efficientnet, efficientnetv2_s, _m or _l.
        resolution: Side of the images in pixels; 0 is the network's own.
        images: Training images of one epoch; 0 is all of them.
        validation: Images held out of training to judge by; 0 is a fifth, at most 10 000.
        epochs: Passes over the images; 0 is what the recipe says.
        batch_size: Images a step, over all workers; 0 is what the recipe says.
        micro_batch: Images a forward pass of each worker: gradients add up to those of the batch, so that less memory
            does; batch norm sees a part at a time. 0 is what the recipe says, mostly the whole batch.
        dropout: Before the last linear layer, in the last stage where the recipe has several. What the recipe says
            unless given; with recipe efficientnet a published EfficientNet has the one published for it.
        precision: auto (mixed on a GPU, float32 on a CPU), float32, bfloat16 or float16 (on a GPU); what the recipe
            says, mostly auto, unless given.
        clip_norm: Largest norm of all gradients together, to which longer ones are shortened; 0 is no limit. What the
            recipe says, mostly 0, unless given.
        lr: Peak learning rate; what the recipe says unless given, whatever the batch size.
        patience: End after so many epochs without a better validation accuracy, and keep the best epoch's weights; 0
            never ends early. What the recipe says unless given.
        init: File of weights to begin with: .safetensors of an earlier training, or a torchvision state dict (.pth). A
            classifier for another number of classes is drawn anew; without a file all weights are.
        seeds: Trainings, each with a seed of its own; under 2 there are no intervals.
        seed: The first of them; also decides which images are held out.
        workers: Processes that train the network together, each on its part of every batch.
        cpus_per_worker: CPU threads of each; 0 shares the cores evenly.
        device: auto takes GPUs if there are any.
        ray_address: An existing Ray cluster to find the workers on, such as auto or host:6379; this machine
            alone unless given.
        retries: How often a training goes on from its checkpoint after one of several workers died.
        run: Run folder.
        new: Begin anew; an old run in the folder is moved aside, under a name with its date.
        dry_run: Print the plan, with the speed measured on a few steps, and end.

    """

    arch: str = "triaxis_small"
    dataset: str = BUNDLED
    data_root: str = "data"
    recipe: str = "standard"
    resolution: int = 0
    images: int = 0
    validation: int = 0
    epochs: int = 0
    batch_size: int = 0
    micro_batch: int = 0
    dropout: float | None = None
    precision: str | None = None
    clip_norm: float | None = None
    lr: float | None = None
    patience: int | None = None
    init: str = ""
    seeds: int = 1
    seed: int = 0
    workers: int = 1
    cpus_per_worker: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    ray_address: str | None = None
    retries: int = 1
    run: str = "runs/train"
    new: bool = False
    dry_run: bool = False

    def __post_init__(self) -> None:
        check_minimum(self, MINIMUM)
        if self.lr is not None and not (math.isfinite(self.lr) and self.lr > 0):
            raise ValueError(f"--lr must be greater than 0, got {self.lr:g}")
        if self.device not in ("auto", "cpu", "cuda"):
            raise ValueError(f"--device must be auto, cpu or cuda, got {self.device}")
        # These raise where recipe or resources make no sense.
        with as_flags({name: name for name in ("epochs", "dropout", *RECORDED_AS_ASKED)}):
            batch_size = self.schedule.batch_size
        self.execution(0)
        if self.micro_batch > batch_size:
            raise ValueError(
                f"--micro-batch must be at most the {batch_size} images of a batch, got {self.micro_batch}: choose a "
                "smaller one, or leave it out"
            )

    @property
    def schedule(self) -> Recipe:
        """The recipe with what is asked for in place of its own."""
        asked = {"batch_size": self.batch_size, "micro_batch": self.micro_batch}
        changes: dict[str, Any] = {name: value for name, value in asked.items() if value}
        changes |= {name: value for name in RECORDED_AS_ASKED if (value := getattr(self, name)) is not None}
        recipe = get_recipe(self.recipe)
        if self.dropout is not None:
            recipe = recipe.with_dropout(self.dropout)
        return recipe.lasting(self.epochs or recipe.epochs).replace(**changes)

    @property
    def is_together(self) -> bool:
        """Whether Ray workers train, and not this process."""
        return self.workers > 1 or self.ray_address is not None

    def execution(self, threads: int, gpus: float | None = 0) -> Execution:
        """The workers, with so many threads and GPUs each."""
        return Execution(
            workers=self.workers,
            cpus_per_trial=max(1, threads),
            gpus_per_trial=gpus,
            ray_address=self.ray_address,
            retries=self.retries,
        )
