"""The settings of a training: `python -m studies.train`. Imports nothing heavy."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

from search_spaces.common import cli
from search_spaces.common.checks import as_flags, check_minimum
from search_spaces.common.settings import flat, setting
from studies.data.config import DataConfig
from studies.trainer.recipe import Recipe
from studies.trainer.registry import get_recipe
from studies.workers.config import WorkersConfig, with_code_folders

MINIMUM = {
    "resolution": 0, "images": 0, "epochs": 0, "batch_size": 0, "validation": 0, "seeds": 1, "seed": 0,
    "patience": 0, "micro_batch": 0,
}  # fmt: skip
# Settings of where and on what to train. A run may be resumed with other values of these.
RESUMABLE = frozenset({"workers", "device", "data.root", "seeds", "run", "new", "dry_run"})
# Settings whose default is the recipe's value; they are recorded as given.
RECORDED_AS_ASKED = ("lr", "patience", "precision", "clip_norm")
# A finished run with larger values of these has everything that is asked for.
EXTENDABLE = frozenset({"seeds"})


@dataclass(frozen=True)
class TogetherConfig:
    """Workers that train one network together.

    Attributes:
        number: Processes that train the network together, each on its part of every batch.
        cpus_per_worker: CPU threads of each worker; 0 splits the cores evenly.
        ray_address: Address of an existing Ray cluster for the workers, such as auto or host:6379. The default is this
            machine only.
        retries: Retries from the checkpoint after a crash of one of several workers.
        code: Folders of your own modules, besides the working folder and PYTHONPATH.

    """

    number: int = setting(1, flag="workers")
    cpus_per_worker: int = 0
    ray_address: str | None = None
    retries: int = 1
    code: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_minimum(self, {"number": 1, "cpus_per_worker": 0})
        self.fitted(0)

    def fitted(self, threads: int, gpus: float | None = 0) -> WorkersConfig:
        """The workers with so many threads and GPUs each. Raises ValueError for values that make no sense."""
        return _Fitted(self.number, max(1, threads), gpus, self.ray_address, self.retries, code=self.code)


@dataclass(frozen=True)
class _Fitted(WorkersConfig):
    """Workers whose threads have the flag of this command."""

    cpus_per_trial: int = setting(1, flag="cpus-per-worker")


@dataclass(frozen=True)
class TrainConfig:
    """Training of one network.

    Attributes:
        arch: Network: an arch file such as runs/search/best.json, or one by name: triaxis_small, efficientnet_b0 to _b8
            and _l2, efficientnetv2_b0 to _b3, _s, _m, _l and _xl, mnasnet_a1, mnasnet_b1, mobilenet_v1, mobilenet_v2,
            resnet18, 34, 50, 101 or 152.
        data: Images to train on.
        recipe: Training recipe: {names}.
        resolution: Side of the images in pixels; 0 is the resolution of the network.
        images: Training images of one epoch; 0 is all of them.
        validation: Images held out of training for validation; 0 is a fifth, at most 10 000.
        epochs: Passes over the images; 0 is the recipe's number.
        batch_size: Images per step, over all workers; 0 is the recipe's number.
        micro_batch: Images per forward pass of a worker. The gradients of the parts are summed, which needs less
            memory; batch norm sees one part at a time. 0 is the recipe's number, in most recipes the whole batch.
        dropout: Dropout before the last linear layer; with several stages, in the last stage. The default is the
            recipe's; with recipe efficientnet, the published value of a published EfficientNet.
        precision: auto (mixed on a GPU, float32 on a CPU), float32, bfloat16 or float16 (on a GPU). The default is the
            recipe's, in most recipes auto.
        clip_norm: Largest norm of all gradients together; longer gradients are shortened to it. 0 is no limit. The
            default is the recipe's, in most recipes 0.
        lr: Peak learning rate. The default is the recipe's, for any batch size.
        patience: Early stopping: stop after this many epochs without a better validation accuracy, and keep the weights
            of the best epoch. 0 never stops early. The default is the recipe's.
        init: File of initial weights: .safetensors of an earlier training, or a torchvision state dict (.pth). A
            classifier for another number of classes is initialised randomly.
        seeds: Number of trainings, each with its own seed. At least 2 are needed for confidence intervals.
        seed: First seed; it also decides which images are held out.
        workers: Workers that train the network together.
        device: Device to train on; auto uses GPUs if there are any.
        run: Run folder.
        new: Start a new run; an old run in the folder is kept under a name with its date.
        dry_run: Print the plan, with the speed measured on a few steps, and exit.

    """

    arch: str = "triaxis_small"
    data: DataConfig = flat(DataConfig)
    recipe: str = setting("standard", registry="studies.trainer.registry:RECIPES")
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
    workers: TogetherConfig = flat(TogetherConfig)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    run: str = "runs/train"
    new: bool = False
    dry_run: bool = False

    def __post_init__(self) -> None:
        check_minimum(self, MINIMUM)
        if self.lr is not None and not (math.isfinite(self.lr) and self.lr > 0):
            raise ValueError(f"--lr must be greater than 0, got {self.lr:g}")
        if self.device not in ("auto", "cpu", "cuda"):
            raise ValueError(f"--device must be auto, cpu or cuda, got {self.device}")
        # This raises where the recipe makes no sense.
        with as_flags({name: name for name in ("epochs", "dropout", *RECORDED_AS_ASKED)}):
            batch_size = self.schedule.batch_size
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
        return self.workers.number > 1 or self.workers.ray_address is not None

    def settings(self) -> dict[str, Any]:
        """The configuration as it is written down: what reproduces the run."""
        return cli.plain(dataclasses.replace(with_code_folders(self), new=False))
