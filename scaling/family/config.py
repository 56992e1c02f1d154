"""The settings of a family of networks."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from search_spaces.common.checks import check_minimum
from search_spaces.common.units import parse_bytes
from search_spaces.resizing.compound import Coefficients
from search_spaces.resizing.rounding import RoundingChoice
from search_spaces.resizing.strategy import V2, Strategy, get_strategy

if TYPE_CHECKING:
    from scaling.family_members import MemoryBudget

STRATEGIES = ("compound", V2)


@dataclass(frozen=True)
class FamilyConfig:
    """A family of networks.

    Attributes:
        coefficients: Needed: a coefficients file (whose baseline and rounding hold unless others are given), three
            numbers such as 1.2,1.1,1.15, or paper (EfficientNet's).
        baseline: A published network's name or an arch file; the coefficients file's unless given, and for paper
            efficientnet_b0.
        phi: Places in the family, in the order of the table; phi 0 is the baseline.
        equal_cost: Grow each member to 2^phi times the baseline's FLOPs, whatever the product of the coefficients,
            instead of rounding as the papers do.
        strategy: compound, or v2: no image above 480 px, and layers added to the late stages first (EfficientNetV2);
            v2:PX for another cap. With --equal-cost depth and width make up for what the cap takes.
        depth_weights: How fast the stages deepen beside each other, one number a stage from the first to the last, such
            as 0 0 0 0 1 1 1; 0 keeps a stage as it is, equal numbers are compound scaling. The strategy's unless given.
        rounding: To what sizes are rounded.
        batch_size: Images a training step, for the memory that training needs.
        max_memory: Memory for training, such as 8GiB; a member that needs more is marked in the table; no limit
            unless given.
        resolution: Input side in pixels of the baseline; 0 is its own.
        out: Folder of the family; an older family there is replaced.

    """

    coefficients: str = ""
    baseline: str = ""
    phi: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0)
    equal_cost: bool = False
    strategy: str = "compound"
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
        if self.way.name.partition(":")[0] not in STRATEGIES:
            raise ValueError(f"--strategy must be {' or '.join(STRATEGIES)}, got {self.strategy}: use scaling.curves")

    @property
    def way(self) -> Strategy:
        """The strategy that says how growth is spread; the coefficients say how fast each dimension grows."""
        named = get_strategy(self.strategy)
        if not self.depth_weights:
            return named
        try:
            return dataclasses.replace(named, depth_weights=self.depth_weights)
        except ValueError as error:
            raise ValueError(f"--depth-weights: {error}") from None

    @property
    def room(self) -> MemoryBudget:
        """The batch, and the bytes for it."""
        from scaling.family_members import MemoryBudget

        try:
            return MemoryBudget(self.batch_size, None if self.max_memory is None else parse_bytes(self.max_memory))
        except ValueError as error:
            raise ValueError(f"--max-memory: {error}") from None


def _numbers(text: str) -> Coefficients | None:
    """Three numbers; None for what can only be a file. Raises ValueError for what is neither."""
    parts = text.split(",")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) == 3:
        return Coefficients(*numbers)
    if numbers or (not Path(text).exists() and not text.endswith(".json") and "/" not in text):
        raise ValueError(
            f"--coefficients must be a coefficients file, three numbers such as 1.2,1.1,1.15, or paper; got '{text}'"
        )
    return None
