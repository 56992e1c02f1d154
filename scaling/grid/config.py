"""The settings of a grid over alpha, beta, gamma. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scaling.experiment.config import RESUMABLE as SHARED
from scaling.experiment.config import ExperimentConfig
from scaling.grid.lattice import Lattice
from search_spaces.common.checks import check_minimum, parsed
from search_spaces.common.settings import flag_of, without
from search_spaces.common.units import format_bytes, format_count, parse_bytes, parse_count

SCHEDULERS = ("none", "asha")
# 2^10 times the baseline is beyond what anybody trains; EN-B7 has a phi of 6.6.
MAX_PHI = 10.0
# Networks whose cost cannot be matched exactly (a small network grown in resolution alone) may exceed it by this share.
MAX_EXCESS = 0.05
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
        max_memory: Networks whose training takes more memory, such as 8GiB, are left out. Default: no limit.
        batch_size: Images of a training step, for --max-memory.
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
    max_memory: str | None = None
    batch_size: int = 128
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
        # These raise ValueError for budgets or a lattice that make no sense.
        self.memory, self.flops, self.lattice  # noqa: B018

    @property
    def lattice(self) -> Lattice:
        """The points of the grid."""
        return Lattice(self.step, self.tolerance, self.alpha, self.beta, self.gamma)

    @property
    def memory(self) -> int | None:
        """The memory budget in bytes; None is no limit."""
        return _budget("max_memory", parse_bytes, self.max_memory)

    @property
    def flops(self) -> int | None:
        """The FLOP budget in multiply-adds, if one is given."""
        return _budget("max_flops", parse_count, self.max_flops)

    @property
    def growth(self) -> float:
        """Factor on the baseline's cost: 2^phi."""
        return float(2**self.phi)

    def settings(self) -> dict[str, Any]:
        """See `ExperimentConfig.settings`."""
        flops = None if self.flops is None else format_count(self.flops)
        memory = None if self.memory is None else format_bytes(self.memory)
        return super().settings() | {"max_flops": flops, "max_memory": memory}

    def identity(self) -> dict[str, Any]:
        """See `ExperimentConfig.identity`."""
        return without(super().identity(), RESUMABLE)


def _budget(name: str, parse: Callable[[str], int], text: str | None) -> int | None:
    if text is None:
        return None
    value = parsed(name, parse, text)
    if value < 1:
        raise ValueError(f"{flag_of(name)} must be greater than 0, got {text}")
    return value
