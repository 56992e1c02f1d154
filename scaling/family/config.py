"""The settings of a family of networks."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from search_spaces.common.checks import check_minimum
from search_spaces.common.settings import setting
from search_spaces.common.units import parse_bytes
from search_spaces.resizing.registry import FAMILY_STRATEGIES, STRATEGIES, get_strategy
from search_spaces.resizing.rounding import RoundingChoice
from search_spaces.resizing.strategy import Strategy

if TYPE_CHECKING:
    from scaling.family_members import MemoryBudget


@dataclass(frozen=True)
class FamilyConfig:
    """A family of networks.

    Attributes:
        coefficients: Required: a coefficients file, three numbers such as 1.2,1.1,1.15, or paper (EfficientNet's). A
            file also gives the default baseline and rounding.
        baseline: A published network's name or an arch file. Default: the coefficients file's, or efficientnet_b0 for
            paper.
        phi: Members of the family, in the order of the table; phi 0 is the baseline.
        equal_cost: Grow each member to exactly 2^phi times the baseline's FLOPs instead of rounding as the papers do.
        strategy: Scaling strategy: {labels}. v2:PX is v2 with another cap. Of your own the cap and the depth weights
            count. With --equal-cost depth and width make up for what the cap takes.
        depth_weights: Relative speed at which the stages deepen, one number per stage from the first to the last, such
            as 0 0 0 0 1 1 1; 0 keeps a stage as it is, equal numbers are compound scaling. Default: the strategy's.
        rounding: Multiples that widths and resolutions are rounded to.
        batch_size: Images of a training step, for the memory that training needs.
        max_memory: Memory for training, such as 8GiB; a member that needs more is marked in the table. Default: no
            limit.
        resolution: Input side in pixels of the baseline; 0 is its own.
        out: Folder to write; an older family in it is replaced.

    """

    coefficients: str = ""
    baseline: str = ""
    phi: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0)
    equal_cost: bool = False
    strategy: str = setting("compound", registry="search_spaces.resizing.registry:FAMILY_STRATEGIES")
    depth_weights: tuple[float, ...] = ()
    rounding: RoundingChoice = field(default_factory=RoundingChoice)
    batch_size: int = 64
    max_memory: str | None = None
    resolution: int = 0
    out: str = "runs/family"

    def __post_init__(self) -> None:
        if not self.coefficients:
            raise ValueError("--coefficients is missing: give a file, three numbers such as 1.2,1.1,1.15, or paper")
        if not self.phi:
            raise ValueError("--phi needs a value")
        for phi in self.phi:
            if not (math.isfinite(phi) and phi >= 0):
                raise ValueError(f"--phi must be 0 or more, got {phi:g}")
            if self.phi.count(phi) > 1:
                raise ValueError(f"--phi must name each member once, got {phi:g} twice")
        check_minimum(self, {"batch_size": 1, "resolution": 0})
        self._check_strategy()

    def _check_strategy(self) -> None:
        """Raise ValueError for what is no strategy, and for one that says which dimensions grow."""
        self.scaling_strategy  # noqa: B018
        if self.strategy.partition(":")[0] not in FAMILY_STRATEGIES and not STRATEGIES.is_own(self.strategy):
            raise ValueError(
                f"--strategy must be one of {FAMILY_STRATEGIES.describe()}, got {self.strategy}: use scaling.curves"
            )

    @property
    def scaling_strategy(self) -> Strategy:
        """The scaling strategy with its depth weights; the coefficients say how fast each dimension grows."""
        named = get_strategy(self.strategy)
        if not self.depth_weights:
            return named
        try:
            return dataclasses.replace(named, depth_weights=self.depth_weights)
        except ValueError as error:
            raise ValueError(f"--depth-weights: {error}") from None

    @property
    def memory(self) -> MemoryBudget:
        """The batch size and the memory limit."""
        from scaling.family_members import MemoryBudget

        try:
            return MemoryBudget(self.batch_size, None if self.max_memory is None else parse_bytes(self.max_memory))
        except ValueError as error:
            raise ValueError(f"--max-memory: {error}") from None
