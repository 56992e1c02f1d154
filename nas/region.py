"""The region that is searched: a space at a resolution and width, a band of a metric around the target, and limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from search_spaces.common.checks import as_flags, parsed
from search_spaces.common.units import parse_count
from search_spaces.metrics.limits import describe_limits, parse_limits, parse_value
from search_spaces.metrics.registry import METRICS, Metric
from studies.trainer.recipe import MAX_WIDTH_FACTOR
from studies.trainer.registry import get_recipe

if TYPE_CHECKING:
    from search_spaces.counting.band import Band, Count
    from search_spaces.spaces.space import Space

DEFAULT_TARGET_FLOPS = "400M"
# A smaller share of the band's networks within the limits is refused: it is a slip of the units more often than meant.
MIN_SHARE = 1e-5


class RegionConfig:
    """The settings that a region is made of.

    This is no dataclass: a base's fields would precede all others, where --help and config.yaml show them between a
    command's own.
    """

    target_flops: int | str | None
    target: str | None
    space: str
    reference: str | None
    resolution: int
    width: float
    recipe: str
    cost_band: tuple[float, float]
    max_params: str | None
    max_memory: str | None
    limits: tuple[str, ...]

    @property
    def target_metric(self) -> Metric:
        """The metric that target and cost band are about."""
        return self._target[0]

    @property
    def target_value(self) -> int:
        """The target in the metric's raw unit."""
        return self._target[1]

    @property
    def target_text(self) -> str:
        """The target as users read it, such as "400M FLOPs"."""
        metric, value = self._target
        return metric.describe(value)

    @property
    def target_flag(self) -> str:
        """The flag that gives the target."""
        return "--target-flops" if self.target is None else "--target"

    @property
    def upper_limits(self) -> dict[str, int]:
        """The highest allowed value of each limited metric, by name."""
        named = {"max_params": ("params", self.max_params), "max_memory": ("inference_memory", self.max_memory)}
        return parse_limits(named, self.limits)

    @property
    def region_metrics(self) -> tuple[str, ...]:
        """The names of the metrics of target and limits."""
        return tuple(dict.fromkeys([self.target_metric.name, *self.upper_limits]))

    def region_settings(self) -> dict[str, Any]:
        """The target as it is stored: as --target-flops, or as --target for another metric."""
        metric, value = self._target
        text = metric.format(value)
        if metric.name == "macs":
            return {"target_flops": text, "target": None}
        return {"target_flops": None, "target": f"{metric.name}={text}"}

    def check_region(self) -> None:
        """Raise ValueError for an invalid target, width, band or limit."""
        if not 0 < self.width <= MAX_WIDTH_FACTOR:
            raise ValueError(f"--width must be greater than 0 and at most {MAX_WIDTH_FACTOR}, got {self.width:g}")
        low, high = self.cost_band
        if not 0 < low <= high:
            raise ValueError(f"--cost-band must be two multiples of the target, 0 < low <= high, got {low:g} {high:g}")
        limits, metric = self.upper_limits, self.target_metric
        if limits.get(metric.name, self.target_value) < self.target_value:
            raise ValueError(
                f"the target of {self.target_text} is above the limit of {metric.format(limits[metric.name])} on the "
                "same metric: lower the target, or raise the limit"
            )

    @property
    def _target(self) -> tuple[Metric, int]:
        if self.target is None:
            given = DEFAULT_TARGET_FLOPS if self.target_flops is None else self.target_flops
            return METRICS["macs"], parsed("target_flops", parse_count, given)
        if self.target_flops is not None:
            raise ValueError(f"--target {self.target} and --target-flops {self.target_flops}: give one of the two")
        metric, value = parse_value("--target", self.target)
        if metric.is_measured:
            raise ValueError(
                f"--target {self.target}: {metric.name} is measured on a worker, but the target must be computed before"
            )
        return metric, round(value)


@dataclass(frozen=True)
class SearchRegion:
    """What is searched.

    space   the space for this data set
    metric  the metric of target and band
    band    of the metric, in raw units
    limits  the highest allowed value of each limited metric, by name
    inside  number of different networks within the band and the limits; memory in training is that of the recipe
    share   of the band's networks within the limits: lowest and highest, equal if it is exact; (1, 1) without limits
    """

    space: Space
    metric: Metric
    band: Band
    limits: dict[str, int]
    inside: Count
    share: tuple[float, float]

    @property
    def within(self) -> dict[str, tuple[int | None, int | None]]:
        """Band and limits, as `Space.sample` takes them."""
        return self.slice(self.band)

    def slice(self, band: Band) -> dict[str, tuple[int | None, int | None]]:
        """The limits, with a part of the band in place of the band."""
        low, high = band
        limits = {name: (None, limit) for name, limit in self.limits.items() if name != self.metric.name}
        return {self.metric.name: (low, min(high, self.limits.get(self.metric.name, high))), **limits}

    @classmethod
    def of(cls, config: RegionConfig, classes: int) -> SearchRegion:
        """The region of a configuration.

        Raises ValueError, with the reachable range, for a target out of reach, and for a band without networks or with
        a share of less than `MIN_SHARE` within the limits.
        """
        from search_spaces.spaces.registry import space

        settings: dict[str, Any] = {"classes": classes}
        if config.width != 1:
            settings["width"] = config.width
        if config.resolution:
            settings["resolution"] = config.resolution
        if config.reference:
            settings["reference"] = config.reference
        with as_flags({name: name for name in settings if name != "classes"}):
            found = space(config.space, **settings).under(get_recipe(config.recipe).conditions)
        metric, limits = config.target_metric, config.upper_limits
        low, high = (round(factor * config.target_value) for factor in config.cost_band)
        # The target itself must be reachable, not only some network of the band.
        found.check_target(config.target_value, config.target_flag, metric.name)
        whole = found.count(within={metric.name: (low, high)}, of="networks")
        if whole.upper == 0:
            raise ValueError(
                f"--cost-band {config.cost_band[0]:g} {config.cost_band[1]:g} of {config.target_text} "
                f"holds no network of space {config.space}: widen it"
            )
        region = cls(found, metric, (low, high), limits, whole, (1.0, 1.0))
        if not limits:
            return region
        inside = found.count(within=region.within, of="networks")
        share = (inside.lower / max(1, whole.upper), min(1.0, inside.upper / max(1, whole.lower)))
        if inside.upper == 0 or int(inside) < MIN_SHARE * int(whole):
            raise ValueError(
                f"{describe_limits(limits)}: less than {MIN_SHARE:g} of the networks of {metric.format(low, 4)} to "
                f"{metric.format(high, 4)} {metric.label} satisfy that ({_reach(found, limits)}): raise the limits, or "
                "choose a lower target"
            )
        return replace(region, inside=inside, share=share)

    def describe_limits(self) -> str:
        """The limits, the values that they cut off, and the share of the band's networks that remains."""
        low, high = (f"{100 * end:.3g}" for end in self.share)
        share = f"{low} %" if low == high else f"{low} to {high} %"
        estimated = " (estimated)" if self.inside.estimated else ""
        return f"{describe_limits(self.limits)} ({_reach(self.space, self.limits)}): {share} of the band{estimated}"


def _reach(space: Space, metrics: dict[str, int]) -> str:
    """The reachable range of some metrics in a space."""
    texts = []
    for name in metrics:
        metric, reach = METRICS.row(name), space.reach(name)
        about = "" if reach.exact else "about "
        low, high = (metric.format(end, 3) for end in (reach.low, reach.high))
        texts.append(f"{metric.label} {'reach' if metric.label.endswith('s') else 'reaches'} {about}{low} to {high}")
    return ", ".join(texts)
