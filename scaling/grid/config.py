"""The settings of a grid over alpha, beta, gamma. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scaling.experiment.config import RESUMABLE as SHARED
from scaling.experiment.config import ExperimentConfig
from scaling.grid.lattice import Lattice
from search_spaces.common.checks import check_minimum
from search_spaces.common.settings import setting, without
from search_spaces.metrics.limits import limits_as_text, parse_limits

SCHEDULERS = ("none", "asha")
# 2^10 times the baseline is beyond what anybody trains; EN-B7 has a phi of 6.6.
MAX_PHI = 10.0
# Networks whose cost cannot be matched exactly (a small network grown in resolution alone) may exceed it by this share.
MAX_EXCESS = 0.05
# Metrics whose limits have flags of their own.
LIMITS = {"max_flops": "macs", "max_params": "params", "max_memory": "training_memory"}
RESUMABLE = SHARED | {"choice_seeds"}
EXTENDABLE = frozenset({"seeds", "choice_seeds"})


@dataclass(frozen=True)
class GridConfig(ExperimentConfig):
    """A grid search for alpha, beta, gamma on one's own data (EN, Section 3.3, step 1).

    Attributes:
        phi: Networks are grown to about 2^phi times the baseline's FLOPs.
        step: Distance between neighbouring values of alpha, beta and gamma.
        tolerance: Largest difference between alpha * beta^2 * gamma^2 and 2.
        alpha: Lowest and highest alpha (depth).
        beta: Lowest and highest beta (width).
        gamma: Lowest and highest gamma (resolution).
        max_flops: Networks that cost more are left out. Default: 2^phi times the baseline, plus 5 % for rounding.
        max_params: Networks with more parameters, such as 5M, are left out. Default: no limit.
        max_memory: Networks whose training by the recipe takes more memory, such as 8GiB, are left out. Default: no
            limit.
        batch_size: Images of a training step, for --max-memory.
        limits: Limits on further metrics as NAME=VALUE, such as inference_memory=64MiB; networks above one are left
            out. Names: {names}.
        raw: Take the networks as their points round, instead of matching all to the same FLOPs.
        allow_small: Accept a grid of fewer than 10 different networks.
        scheduler: none, or asha (trainings behind the others stop after an epoch; only complete ones are compared).
        choice_seeds: Number of fresh seeds for retraining the choice and the paper's coefficients before the test.

    """

    phi: float = 1.0
    step: float = 0.1
    tolerance: float = 0.1
    alpha: tuple[float, float] = (1.0, 2.2)
    beta: tuple[float, float] = (1.0, 1.5)
    gamma: tuple[float, float] = (1.0, 1.5)
    max_flops: str | None = None
    max_params: str | None = None
    max_memory: str | None = None
    batch_size: int = 128
    limits: tuple[str, ...] = setting((), registry="search_spaces.metrics.registry:COMPUTED")
    raw: bool = False
    allow_small: bool = False
    scheduler: str = "none"
    choice_seeds: int = 3
    run: str = "runs/grid"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.phi <= MAX_PHI:
            raise ValueError(f"--phi must be greater than 0 and at most {MAX_PHI:g}, got {self.phi:g}")
        check_minimum(self, {"batch_size": 1, "choice_seeds": 1})
        if self.scheduler not in SCHEDULERS:
            raise ValueError(f"unknown scheduler '{self.scheduler}': choose {' or '.join(SCHEDULERS)}")
        if self.lr_per_network and self.scheduler != "none":
            raise ValueError(
                f"--lr-per-network compares complete trainings, and --scheduler {self.scheduler} stops some of them: "
                "use --scheduler none"
            )
        # These raise ValueError for limits or a lattice that make no sense.
        self.upper_limits, self.lattice  # noqa: B018

    @property
    def lattice(self) -> Lattice:
        """The points of the grid."""
        return Lattice(self.step, self.tolerance, self.alpha, self.beta, self.gamma)

    @property
    def upper_limits(self) -> dict[str, int]:
        """The highest value of each metric that a limit is given for, in raw units."""
        return parse_limits({name: (metric, getattr(self, name)) for name, metric in LIMITS.items()}, self.limits)

    @property
    def limited(self) -> tuple[str, ...]:
        """See `ExperimentConfig.limited`."""
        return tuple(self.upper_limits)

    @property
    def growth(self) -> float:
        """Factor on the baseline's cost: 2^phi."""
        return float(2**self.phi)

    def settings(self) -> dict[str, Any]:
        """See `ExperimentConfig.settings`."""
        return super().settings() | limits_as_text(self.upper_limits, LIMITS)

    def identity(self) -> dict[str, Any]:
        """See `ExperimentConfig.identity`."""
        return without(super().identity() | limits_as_text(self.upper_limits, LIMITS), RESUMABLE)
