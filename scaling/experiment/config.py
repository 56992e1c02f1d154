"""The settings that all scaling experiments share: the baseline, how its forms are trained, on what."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from scaling.experiment.proxy_baseline import ProxyBaseline
from search_spaces.common.checks import as_flags, check_minimum
from search_spaces.resizing.rounding import RoundingChoice
from studies.data.registry import BUNDLED
from studies.trainer.recipe import Recipe
from studies.trainer.registry import get_recipe
from studies.workers.config import PLACEMENT, TrialConfig

MINIMUM = {"images": 0, "epochs": 1, "validation": 0, "seeds": 1, "retries": 0, "seed": 0, "resolution": 0}
# A run may go on with others of these.
RESUMABLE = PLACEMENT | {"seeds"}


@dataclass(frozen=True)
class ExperimentConfig(TrialConfig):
    """What a grid and curves have in common.

    Attributes:
        baseline: Network to scale: a published one by name, or an arch file such as runs/search/best.json.
        resolution: Input side of the baseline in pixels; 0 is its own.
        proxy: What is trained in the baseline's place where it is too large for the images.
        rounding: To what widths and resolutions are rounded.
        dataset: fashion-mnist-mini (bundled), fashion-mnist, cifar10, cifar100, or imagefolder:DIR.
        data_root: Where downloaded data sets lie.
        recipe: How networks are trained, by name: quick, standard, one-cycle, efficientnet, efficientnetv2_s, _m or _l.
        images: Training images of one epoch; 0 is all of them.
        epochs: Passes over those images.
        validation: Images held out of training to judge by; 0 is a fifth, at most 10 000.
        seeds: Trainings of each network, the same seeds for all; under 2 there are no intervals.
        workers: Networks trained at once; by default as many as fit. 0: one by one in this process, without Ray.
        cpus_per_trial: CPU cores (and threads) of a training.
        gpus_per_trial: GPUs of a training, fractions allowed; a GPU is shared evenly among the workers unless given.
        ray_address: An existing Ray cluster, such as auto or host:6379; this machine alone unless given.
        retries: How often a training whose worker died is tried again.
        tensorboard: Write TensorBoard logs of all trainings into the run folder.
        seed: Of everything that is drawn; trainings have the seeds from it on.
        new: Begin anew; an old run in the folder is moved aside, under a name with its date.
        dry_run: Print the plan and end.

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

    def __post_init__(self) -> None:
        check_minimum(self, MINIMUM)
        # These raise where there is no such recipe, its stages are more than the epochs, or resources make no sense.
        with as_flags({"epochs": "epochs"}):
            self.schedule  # noqa: B018
        self.execution  # noqa: B018

    @property
    def schedule(self) -> Recipe:
        """The recipe with the epochs that are trained."""
        return get_recipe(self.recipe).lasting(self.epochs)

    def identity(self) -> dict[str, Any]:
        """What decides what a training means, the recipe's numbers included; a study goes on only under the same."""
        values = {key: value for key, value in dataclasses.asdict(self).items() if key not in RESUMABLE}
        return values | {"recipe": {"name": self.recipe, **self.schedule.identity()}}
