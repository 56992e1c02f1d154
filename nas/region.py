"""The region that is searched: a space at a resolution and width, and a band of costs around the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search_spaces.common.checks import as_flags, parsed
from search_spaces.common.units import format_count, parse_count
from studies.trainer.recipe import MAX_WIDTH_FACTOR

if TYPE_CHECKING:
    from search_spaces.counting.band import Band, Count
    from search_spaces.spaces.space import Space


class RegionConfig:
    """The settings that a region is made of.

    This is no dataclass: a base's fields would precede all others, where --help and config.yaml show them between a
    command's own.
    """

    target_flops: int | str
    space: str
    reference: str | None
    resolution: int
    width: float
    cost_band: tuple[float, float]

    @property
    def target(self) -> int:
        """The target in multiply-adds."""
        return parsed("target_flops", parse_count, self.target_flops)

    def check_region(self) -> None:
        """Raise ValueError for an invalid target, width or band."""
        if not 0 < self.width <= MAX_WIDTH_FACTOR:
            raise ValueError(f"--width must be greater than 0 and at most {MAX_WIDTH_FACTOR}, got {self.width:g}")
        low, high = self.cost_band
        if not 0 < low <= high:
            raise ValueError(f"--cost-band must be two multiples of the target, 0 < low <= high, got {low:g} {high:g}")
        self.target  # noqa: B018 - raises for what is no number of FLOPs


@dataclass(frozen=True)
class SearchRegion:
    """What is searched: the space for this data set, the cost band in multiply-adds, the number of networks inside."""

    space: Space
    band: Band
    inside: Count

    @classmethod
    def of(cls, config: RegionConfig, classes: int) -> SearchRegion:
        """The region of a configuration. Raises ValueError, with the reachable range, for an empty band."""
        from search_spaces.spaces.registry import space

        settings: dict[str, Any] = {"classes": classes}
        if config.width != 1:
            settings["width"] = config.width
        if config.resolution:
            settings["resolution"] = config.resolution
        if config.reference:
            settings["reference"] = config.reference
        with as_flags({name: name for name in settings if name != "classes"}):
            found = space(config.space, **settings)
        low, high = (round(factor * config.target) for factor in config.cost_band)
        # The target itself must be reachable, not only some network of the band.
        found.check_target(config.target, "--target-flops")
        inside = found.count(macs=(low, high), of="networks")
        if inside.upper == 0:
            raise ValueError(
                f"--cost-band {config.cost_band[0]:g} {config.cost_band[1]:g} of {format_count(config.target)} "
                f"holds no network of space {config.space}: widen it"
            )
        return cls(found, (low, high), inside)
