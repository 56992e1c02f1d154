"""Training-step time of a network relative to a baseline's: S of EfficientNetV2's reward (ENv2, section 3.2).

A worker measures it on its own cores before it trains the network's proxy. Every rung of the trial contains it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from search_spaces.common.suggest import nearest
from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch
from studies.trainer.recipe import Recipe

SOURCES = ("measured", "layers")
# Keys of a rung beside those of an evaluation.
SECONDS, STEP, PARAMS = KEYS = ("step_time", "relative_step_time", "relative_params")


@dataclass(frozen=True)
class StepTimes:
    """Configuration of step-time measurement; serialised into each job.

    Attributes:
        baseline: The baseline network as JSON; its step time and parameters are the unit.
        batch: Images in a step, the same for all networks.
        folder: Folder of cached times that every worker sees; empty for no cache.
        source: measured (whole steps of the network) or layers (the sum over its layers, each shape measured once).
        runs: Timed steps; their median counts.
        warmup: Untimed steps before them.

    """

    baseline: str
    batch: int
    folder: str = ""
    source: str = "measured"
    runs: int = 5
    warmup: int = 2

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise ValueError(f"unknown --step-times '{self.source}'{nearest(self.source, SOURCES)}")
        for name, minimum in {"batch": 1, "runs": 1, "warmup": 0}.items():
            if getattr(self, name) < minimum:
                raise ValueError(f"{name} of step times must be at least {minimum}, got {getattr(self, name)}")

    def facts(
        self, arch: Arch, recipe: Recipe, measure: Callable[[Arch, Recipe], float] | None = None
    ) -> dict[str, float]:
        """The rung's values for a full network: step_time; relative_step_time and relative_params over the baseline's.

        `measure` returns the seconds of a step; default: `seconds`, on this process's device and with torch's number of
        threads. Running out of memory is raised as torch raises it.
        """
        measure = measure or self.seconds
        base = Arch.from_json(self.baseline)
        # The baseline first: no worker then measures its first network while another one measures the baseline.
        base_seconds = measure(base, recipe)
        seconds = measure(arch, recipe)
        return {SECONDS: seconds, STEP: seconds / base_seconds, PARAMS: cost(arch).params / cost(base).params}

    @property
    def steps(self) -> int:
        """Steps made to measure one network, including the untimed ones."""
        return self.warmup + self.runs

    def seconds(self, arch: Arch, recipe: Recipe) -> float:
        """Seconds of a training step at the arch's own resolution, from the cache if they are there."""
        from studies.timing.step_clock import StepClock

        clock = StepClock.here(recipe, self.batch, self.runs, self.warmup, self.folder)
        return clock.whole(arch) if self.source == "measured" else clock.by_layers(arch)


def step_times_of(fields: Mapping[str, Any] | None) -> StepTimes | None:
    """The inverse of `dataclasses.asdict`; None for None."""
    return StepTimes(**fields) if fields else None
