"""The settings that all scaling experiments share: the baseline, how its forms are trained, on what."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from scaling.experiment.proxy_baseline import ProxyBaseline
from scaling.experiment.rates import DEFAULT_FACTORS, OWN, check_factors, peak
from search_spaces.common import cli
from search_spaces.common.checks import as_flags, check_minimum
from search_spaces.common.settings import flat, own_code, setting, without
from search_spaces.common.user_code import digests
from search_spaces.resizing.rounding import RoundingChoice
from studies.data.config import DataConfig
from studies.trainer.recipe import Recipe
from studies.trainer.registry import get_recipe
from studies.workers.config import PLACEMENT, WorkersConfig, with_code_folders

MINIMUM = {"images": 0, "epochs": 1, "validation": 0, "seeds": 1, "seed": 0, "resolution": 0}
# A run may resume with other values of these.
RESUMABLE = PLACEMENT | {"seeds"}


@dataclass(frozen=True)
class ExperimentConfig:
    """What a grid and curves have in common.

    Attributes:
        baseline: Network to scale: a published one by name, or an arch file such as runs/search/best.json.
        resolution: Input side of the baseline in pixels; 0 is its own.
        proxy: The proxy baseline, trained in the baseline's place if that is too large for the images.
        rounding: Multiples that widths and resolutions are rounded to.
        data: Images to train on.
        recipe: Training recipe of the networks: {names}.
        lr_per_network: Train every network at several peak learning rates; its best on validation images counts.
        lr_factors: Factors on the recipe's peak learning rate for --lr-per-network; 1, the recipe's own, is among them.
        images: Training images of one epoch; 0 is all of them.
        epochs: Passes over those images.
        validation: Number of images held out for validation; 0 is a fifth, at most 10 000.
        seeds: Number of training seeds per network, the same for all. At least 2 are needed for confidence intervals.
        workers: Workers, and what each gets.
        seed: Random seed; trainings use this seed and the following ones.
        new: Start a new run; an old run in the folder is kept under a name with its date.
        dry_run: Print the plan and exit.
        run: Run folder.

    """

    baseline: str = "triaxis_small"
    resolution: int = 0
    proxy: ProxyBaseline = field(default_factory=ProxyBaseline)
    rounding: RoundingChoice = field(default_factory=RoundingChoice)
    data: DataConfig = flat(DataConfig)
    recipe: str = setting("quick", registry="studies.trainer.registry:RECIPES")
    lr_per_network: bool = False
    lr_factors: tuple[float, ...] = DEFAULT_FACTORS
    images: int = 4000
    epochs: int = 3
    validation: int = 0
    seeds: int = 3
    workers: WorkersConfig = flat(WorkersConfig)
    seed: int = 0
    new: bool = False
    dry_run: bool = False
    run: str = "runs/scaling"

    def __post_init__(self) -> None:
        check_minimum(self, MINIMUM)
        # This raises ValueError for an unknown recipe, or more stages than epochs.
        with as_flags({"epochs": "epochs"}):
            self.schedule  # noqa: B018
        check_factors(self.lr_factors)
        if self.lr_factors != DEFAULT_FACTORS and not self.lr_per_network:
            raise ValueError("--lr-factors has no effect without --lr-per-network: add that, or remove --lr-factors")

    @property
    def schedule(self) -> Recipe:
        """The recipe with the epochs that are trained."""
        return get_recipe(self.recipe).lasting(self.epochs)

    @property
    def factors(self) -> tuple[float, ...]:
        """The factors on the recipe's peak learning rate that every network is trained at, the recipe's own first."""
        if not self.lr_per_network:
            return (OWN,)
        return (OWN, *(factor for factor in self.lr_factors if factor != OWN))

    def describe_factors(self) -> str:
        """The learning rates of --lr-per-network for the plan; empty without it."""
        if not self.lr_per_network:
            return ""
        rates = ", ".join(f"{peak(self.schedule.lr, factor):g}" for factor in self.factors)
        return f", at each of {len(self.factors)} learning rates ({rates}): {len(self.factors)} times the cost of one"

    @property
    def limited(self) -> tuple[str, ...]:
        """Names of the metrics that networks are limited in."""
        return ()

    def settings(self) -> dict[str, Any]:
        """The configuration as plain values that reproduce the run, as config.yaml holds them."""
        return cli.plain(dataclasses.replace(with_code_folders(self), new=False))

    def identity(self) -> dict[str, Any]:
        """What decides what a training means, the recipe's numbers and the digests of the user's own code included.

        A study resumes only under the same.
        """
        values = without(dataclasses.asdict(self), RESUMABLE)
        recipe = {"name": self.recipe, **dataclasses.asdict(self.schedule)}
        return values | {"recipe": recipe, "code": digests(own_code(self))}
