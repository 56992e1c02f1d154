"""The settings that all scaling experiments share: the baseline, how its forms are trained, on what."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from scaling.experiment.proxy_baseline import ProxyBaseline
from search_spaces.common import cli
from search_spaces.common.checks import as_flags, check_minimum
from search_spaces.resizing.rounding import RoundingChoice
from studies.data.registry import BUNDLED
from studies.trainer.recipe import Recipe
from studies.trainer.registry import get_recipe
from studies.workers.config import PLACEMENT, TrialConfig

MINIMUM = {"images": 0, "epochs": 1, "validation": 0, "seeds": 1, "retries": 0, "seed": 0, "resolution": 0}
# A run may resume with other values of these.
RESUMABLE = PLACEMENT | {"seeds"}


@dataclass(frozen=True)
class ExperimentConfig(TrialConfig):
    """What a grid and curves have in common.

    Attributes:
        baseline: Network to scale: a published one by name, or an arch file such as runs/search/best.json.
        resolution: Input side of the baseline in pixels; 0 is its own.
        proxy: The proxy baseline, trained in the baseline's place if that is too large for the images.
        rounding: Multiples that widths and resolutions are rounded to.
        dataset: fashion-mnist-mini (bundled), fashion-mnist, cifar10, cifar100, or imagefolder:DIR.
        data_root: Folder of downloaded data sets.
        recipe: Training recipe of the networks: quick, standard, one-cycle, efficientnet, efficientnetv2_s,
            efficientnetv2_m or efficientnetv2_l.
        images: Training images of one epoch; 0 is all of them.
        epochs: Passes over those images.
        validation: Number of images held out for validation; 0 is a fifth, at most 10 000.
        seeds: Number of training seeds per network, the same for all. At least 2 are needed for confidence intervals.
        workers: Networks trained at once. Default: as many as fit. 0: one by one in this process, without Ray.
        cpus_per_trial: CPU cores (and threads) of a training.
        gpus_per_trial: GPUs of a training, fractions allowed. Default: GPUs are shared evenly among the workers.
        ray_address: An existing Ray cluster, such as auto or host:6379. Default: this machine alone.
        retries: Retries after a worker crash.
        tensorboard: Write TensorBoard logs of all trainings into the run folder.
        seed: Random seed; trainings use this seed and the following ones.
        new: Start a new run; an old run in the folder is kept under a name with its date.
        dry_run: Print the plan and exit.
        run: Run folder.

    """

    baseline: str = "triaxis_small"
    resolution: int = 0
    proxy: ProxyBaseline = field(default_factory=ProxyBaseline)
    rounding: RoundingChoice = field(default_factory=RoundingChoice)
    dataset: str = BUNDLED
    data_root: str = "data"
    recipe: str = "quick"
    images: int = 4000
    epochs: int = 3
    validation: int = 0
    seeds: int = 3
    workers: int | None = None
    cpus_per_trial: int = 1
    gpus_per_trial: float | None = None
    ray_address: str | None = None
    retries: int = 1
    tensorboard: bool = False
    seed: int = 0
    new: bool = False
    dry_run: bool = False
    run: str = "runs/scaling"

    def __post_init__(self) -> None:
        check_minimum(self, MINIMUM)
        # These raise ValueError for an unknown recipe, more stages than epochs, or resources that make no sense.
        with as_flags({"epochs": "epochs"}):
            self.schedule  # noqa: B018
        self.execution  # noqa: B018

    @property
    def schedule(self) -> Recipe:
        """The recipe with the epochs that are trained."""
        return get_recipe(self.recipe).lasting(self.epochs)

    def settings(self) -> dict[str, Any]:
        """The configuration as plain values that reproduce the run, as config.yaml holds them."""
        return cli.plain(dataclasses.replace(self, new=False))

    def identity(self) -> dict[str, Any]:
        """What decides what a training means, the recipe's numbers included; a study resumes only under the same."""
        values = {key: value for key, value in dataclasses.asdict(self).items() if key not in RESUMABLE}
        return values | {"recipe": {"name": self.recipe, **dataclasses.asdict(self.schedule)}}
