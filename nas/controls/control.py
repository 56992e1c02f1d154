"""A control as a value: a network at the search's target, and what became of the network that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from search_spaces.metrics.registry import Metric
from search_spaces.networks.arch import Arch

DEFAULT_NAMES = ("mobilenet_v2", "mnasnet_a1", "efficientnet_b0")
# Stands for no known networks at all.
NONE = "none"


@dataclass(frozen=True)
class Control:
    """A network that the search did not find.

    name       as people read it: mobilenet_v2, or "random 1" for one that was drawn uniformly from the region
    arch       the full network
    is_random  whether it was drawn
    value      of the target's metric, in raw units
    ratio      the value over the target
    layers     number of layers in its stages
    width      factor on the widths of the network that was asked for; None if it was drawn
    also       other names of the same network
    """

    name: str
    arch: Arch
    is_random: bool
    value: int
    ratio: float
    layers: int
    width: float | None = None
    also: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """All its names."""
        return f"{self.name} ({', '.join(self.also)})" if self.also else self.name

    def describe(self, metric: Metric) -> str:
        """What the network became, such as "width x1.158, 17 layers, 403.1M FLOPs (100.8 % of the target)"."""
        width = "" if self.width is None else f"width x{self.width:.3f}, "
        return f"{width}{self.layers} layers, {metric.describe(self.value)} ({self.ratio:.1%} of the target)"


@dataclass(frozen=True)
class Controls:
    """The controls of a search, and those that are left out, with the reason, by name."""

    all: tuple[Control, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def known(self) -> tuple[Control, ...]:
        """Those that were not drawn."""
        return tuple(control for control in self.all if not control.is_random)

    @property
    def random(self) -> tuple[Control, ...]:
        """Those that were drawn uniformly."""
        return tuple(control for control in self.all if control.is_random)
