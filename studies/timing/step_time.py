"""How long a training step of a full network takes, over a baseline's: S of EfficientNetV2's reward (V2, Section 3.2).

A worker finds it out before it trains the network's proxy, on its own cores; every rung of the trial carries it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search_spaces.common.suggest import nearest
from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch
from studies.trainer.recipe import Recipe

SOURCES = ("measured", "layers")
# The keys that a rung has besides an evaluation's.
SECONDS, STEP, PARAMS = KEYS = ("step_seconds", "relative_step", "relative_params")


@dataclass(frozen=True)
class StepTimes:
    """How step times are had; travels with every job as JSON.

    Attributes:
        baseline: The network, as JSON, whose step time and parameters are 1.
        batch: Images in a step, the same for all networks.
        folder: Where times are kept, seen by every worker; empty for nowhere.
        source: measured (whole steps of the network) or layers (the sum of its layers' times, each shape's taken once).
        runs: Timed steps, of which the median counts.
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
        for name, least in {"batch": 1, "runs": 1, "warmup": 0}.items():
            if getattr(self, name) < least:
                raise ValueError(f"a step time's {name} must be at least {least}, got {getattr(self, name)}")

    def facts(self, arch: Arch, recipe: Recipe) -> dict[str, float]:
        """What a rung has of a full network: step_seconds, and relative_step and relative_params over the baseline's.

        On the device that this process trains on, with as many threads as torch has. Raises what torch raises where
        memory does not suffice.
        """
        base = Arch.from_json(self.baseline)
        # First, so that the first networks that two workers time are not timed beside another's baseline.
        whole = self.seconds(base, recipe)
        seconds = self.seconds(arch, recipe)
        return {SECONDS: seconds, STEP: seconds / whole, PARAMS: cost(arch).params / cost(base).params}

    @property
    def steps(self) -> int:
        """Steps that are made for one network's time, the untimed ones included."""
        return self.warmup + self.runs

    def seconds(self, arch: Arch, recipe: Recipe) -> float:
        """Seconds of a training step at the arch's own resolution, from the cache where they are there."""
        from studies.timing.step_clock import StepClock

        clock = StepClock.here(recipe, self.batch, self.runs, self.warmup, self.folder)
        return clock.whole(arch) if self.source == "measured" else clock.by_layers(arch)


def step_times_of(fields: Mapping[str, Any] | None) -> StepTimes | None:
    """Read back what `dataclasses.asdict` gave."""
    return StepTimes(**fields) if fields else None
