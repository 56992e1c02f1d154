"""The metrics of a network by name, a row each: named numbers with a unit, computed or measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from search_spaces.common.registry import Registry, Row
from search_spaces.common.units import (
    format_bytes,
    format_count,
    format_duration,
    parse_bytes,
    parse_count,
    parse_duration,
)

Kind = Literal["additive", "peak", "computed", "measured"]
Quantity = Literal["count", "bytes", "seconds"]
_PARSERS: dict[str, Callable[[str], float]] = {"count": parse_count, "bytes": parse_bytes, "seconds": parse_duration}


@dataclass(frozen=True)
class Conditions:
    """What memory in training depends on, besides the network.

    batch_size  images in a training step
    optimizer   sgd, rmsprop or adamw
    ema         whether a moving average of the weights is kept
    """

    batch_size: int = 1
    optimizer: str = "sgd"
    ema: bool = False


@dataclass(frozen=True, kw_only=True)
class Metric(Row):
    """A metric's row. Less of it is better.

    kind      additive: `code` is a function of a block (`Block` or `Classifier`) that returns a whole number; the
              network's value is the sum over its blocks. Such metrics are computed for millions of networks a second,
              counted and sampled in bands.
              peak: `code` is a function of the blocks of the stem, of a stage, of the head or of the classifier. It
              returns two whole numbers: what the network holds for them all the time, and the most that they need
              beside that while they run. The network's value is the sum of the first and the largest of the second.
              The later layers of a stage are alike: each adds the same to the first, and the second does not depend on
              how many there are.
              computed: `code` is a function of an Arch and `Conditions` that returns a whole number.
              measured: a worker finds it; `code` says what measures it.
    quantity  how values are written: count (400M), bytes (64MiB) or seconds (1.5s)
    unit      of the raw values
    """

    kind: Kind = "additive"
    quantity: Quantity = "count"
    unit: str = ""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"metric {self.name}: kind must be one of {', '.join(get_args(Kind))}, got '{self.kind}'")
        if self.quantity not in _PARSERS:
            raise ValueError(
                f"metric {self.name}: quantity must be one of {', '.join(_PARSERS)}, got '{self.quantity}'"
            )

    @property
    def title(self) -> str:
        """The label, with the unit if that says more: "FLOPs (multiply-adds)"."""
        return (
            f"{self.label} ({self.unit})"
            if self.quantity == "count" and self.unit not in ("", self.label)
            else self.label
        )

    @property
    def is_tabulated(self) -> bool:
        """Whether a space of stages computes it from tables."""
        return self.kind in ("additive", "peak")

    @property
    def is_measured(self) -> bool:
        """Whether it is known only after a worker has measured it."""
        return self.kind == "measured"

    def parse(self, text: str) -> float:
        """A value from text such as 400M, 64MiB or 1.5s. Raises ValueError for anything else."""
        return _PARSERS[self.quantity](text)

    def format(self, value: float, digits: int | None = None) -> str:
        """A value as text that `parse` reads; `digits` rounds to significant digits (decimals of seconds)."""
        if self.quantity == "seconds":
            return format_duration(value, digits)
        return (format_bytes if self.quantity == "bytes" else format_count)(round(value), digits)

    def describe(self, value: float, digits: int = 4) -> str:
        """A value with the metric's label, such as "312.4M FLOPs" or "31.5MiB of inference memory"."""
        joined = "" if self.quantity == "count" else "of "
        return f"{self.format(value, digits)} {joined}{self.label}"


def adopt(name: str, found: Any) -> Metric:
    if not callable(found):
        raise ValueError(
            "must be a Metric (search_spaces.metrics.registry), or a function of a block that returns a whole number, "
            f"got {type(found).__name__}"
        )
    return Metric(name=name, code=name, label=name.partition(":")[2].replace("_", " "), source="your own, additive")


METRICS = Registry(
    "metric",
    [
        Metric(
            name="macs",
            code="search_spaces.metrics.counts:block_macs",
            label="FLOPs",
            unit="multiply-adds",
            source="computed: multiply-adds of convolution and linear layers for one image, as the papers count them",
        ),
        Metric(
            name="params",
            code="search_spaces.metrics.counts:block_params",
            label="parameters",
            unit="parameters",
            source="computed: trainable parameters",
        ),
        Metric(
            name="activations",
            code="search_spaces.metrics.counts:block_activations",
            label="activations",
            unit="elements",
            source="computed: outputs of convolution and linear layers for one image (RegNet, arXiv 2003.13678)",
        ),
        Metric(
            name="inference_memory",
            code="search_spaces.metrics.memory:section_memory",
            label="inference memory",
            kind="peak",
            quantity="bytes",
            unit="bytes",
            source="computed: peak of a forward pass on one image, in float32",
        ),
        Metric(
            name="training_memory",
            code="search_spaces.metrics.memory:training_bytes",
            label="training memory",
            kind="computed",
            quantity="bytes",
            unit="bytes",
            source="computed: peak of a training step at a batch size, in float32",
        ),
        Metric(
            name="step_time",
            code="studies.timing.step_time:StepTimes",
            label="training-step time",
            kind="measured",
            quantity="seconds",
            unit="seconds",
            source="measured on a worker before it trains the network's proxy (EfficientNetV2, section 3.2)",
        ),
    ],
    adopt,
)
# Those that are known before a network is trained: targets and limits take them.
COMPUTED = Registry("metric", [row for row in METRICS.values() if not row.is_measured], adopt)
