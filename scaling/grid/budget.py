"""What a network of a grid may need: upper limits on metrics, and the pixels of the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scaling.grid.config import LIMITS
from search_spaces.metrics.compute import compute
from search_spaces.metrics.limits import limit_flag
from search_spaces.metrics.registry import METRICS, Conditions
from search_spaces.networks.arch import Arch


@dataclass(frozen=True)
class Reach:
    """What the networks of a grid's points need of one limited metric, in raw units.

    limit      the highest value that is trained
    low, high  the lowest and the highest value of the points' networks
    within     number of points whose networks are within the limit, of `points`
    """

    metric: str
    limit: int
    low: int
    high: int
    within: int
    points: int

    def describe(self) -> str:
        """One line: the range, the limit, and the share of the points that remains."""
        return (
            f"at most {METRICS.row(self.metric).format(self.limit)}; the points' networks have {self.range}: "
            f"{self.within} of {self.points} points ({self.within / self.points:.1%}) remain"
        )

    @property
    def range(self) -> str:
        """The lowest and the highest value, such as "1.2M to 3.4M"."""
        show = METRICS.row(self.metric).format
        return f"{show(self.low, 4)} to {show(self.high, 4)}"


@dataclass(frozen=True)
class Budget:
    """What a network of a grid may need.

    limits      the highest value of each limited metric by name, in raw units
    conditions  of the memory in training
    pixels      side of the images: a larger input shows the network nothing more
    """

    limits: Mapping[str, int]
    conditions: Conditions
    pixels: int

    def values(self, arch: Arch) -> dict[str, int]:
        """The limited metrics of a network, in raw units."""
        return {name: compute(name, arch, self.conditions) for name in self.limits}

    def excess(self, values: Mapping[str, int]) -> str:
        """The limit that is exceeded, such as "over 5M parameters"; empty if none is."""
        name = self._exceeded(values)
        return name and f"over {self._describe(name, self.limits[name])}"

    def objection(self, arch: Arch, values: Mapping[str, int]) -> str:
        """Why a network is left out; empty if nothing speaks against it."""
        upsampled = arch.resolution > self.pixels
        return self.excess(values) or f"upsampled: larger than the images' own {self.pixels} px" * upsampled

    def check_baseline(self, baseline: Arch) -> None:
        """Raise ValueError if the baseline, which is trained too, is over a limit."""
        values = self.values(baseline)
        if name := self._exceeded(values):
            raise ValueError(
                f"the baseline itself has {self._describe(name, values[name])}, but the limit is "
                f"{METRICS.row(name).format(self.limits[name])}: raise {limit_flag(name, LIMITS)}, or use a smaller "
                "--proxy.width or --proxy.resolution"
            )

    def reach(self, spent: Sequence[tuple[Mapping[str, int], int]]) -> tuple[Reach, ...]:
        """What networks need of each limited metric; they are given as (values, number of points)."""
        points, found = sum(number for _, number in spent), []
        for name, limit in self.limits.items():
            values = [one[name] for one, _ in spent]
            within = sum(number for one, number in spent if one[name] <= limit)
            found.append(Reach(name, limit, min(values), max(values), within, points))
        return tuple(found)

    def _exceeded(self, values: Mapping[str, int]) -> str:
        return next((name for name, limit in self.limits.items() if values[name] > limit), "")

    def _describe(self, name: str, value: float) -> str:
        row = METRICS.row(name)
        return row.describe(value) + f" at batch {self.conditions.batch_size}" * (row.kind == "computed")
