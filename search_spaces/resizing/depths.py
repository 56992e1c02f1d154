"""Extra layers distributed to stages by weights, for non-uniform scaling (V2, arXiv 2104.00298, Section 3.3)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from search_spaces.networks.arch import Arch
from search_spaces.resizing.stages import scale_depth

# Every stage grows by the same factor: compound scaling.
EVEN = (1.0,)
# The last third of the stages grows twice as fast. The paper gives no rule, only later stages such as 5 and 6 of six.
# From S to M and L these (with the added stage) get 1.5 and 2.1 times the layers, the others 1.3 and 1.8 times.
LATE = (0.5, 0.5, 1.0)


def check_weights(weights: Sequence[float]) -> None:
    """Raise ValueError unless there are weights, 0 or more, and one of them exceeds 0."""
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights) or not sum(weights) > 0:
        given = " ".join(f"{weight:g}" for weight in weights) or "none"
        raise ValueError(f"depth weights must be 0 or more and not all 0, got {given}")


def stage_weights(weights: Sequence[float], stages: int) -> tuple[float, ...]:
    """A weight for each stage. A different number of weights is spread evenly over the network's length.

    So three weights stand for thirds of a network, however many stages it has.
    """
    check_weights(weights)
    each = tuple(weights[(2 * place + 1) * len(weights) // (2 * stages)] for place in range(stages))
    # If there are more weights than stages, all selected ones may be 0.
    check_weights(each)
    return each


def asked_layers(layers: Sequence[int], factor: float, weights: Sequence[float] = EVEN) -> list[float]:
    """Layers of each stage, before rounding, of a network `factor` times as deep in total.

    A stage of n layers gets n * (1 + weight * rate), with one rate for all. Equal weights are compound scaling, and a
    stage of weight 0 does not change. A factor below 1 ignores the weights: all stages shrink evenly.
    """
    each = stage_weights(weights, len(layers))
    if factor <= 1 or len(set(each)) == 1:
        return [round(count * factor, 9) for count in layers]
    weighed = sum(weight * count for weight, count in zip(each, layers, strict=True))
    rate = (factor - 1) * sum(layers) / weighed
    return [round(count * (1 + weight * rate), 9) for weight, count in zip(each, layers, strict=True)]


def deepen(arch: Arch, factor: float, weights: Sequence[float] = EVEN) -> Arch:
    """The arch `factor` times as deep before every stage's layers are rounded up (EN); see `asked_layers`."""
    if factor <= 1 or len(set(stage_weights(weights, len(arch.stages)))) == 1:
        return scale_depth(arch, factor)
    asked = asked_layers([stage.layers for stage in arch.stages], factor, weights)
    pairs = zip(arch.stages, asked, strict=True)
    return arch.replace(stages=tuple(dataclasses.replace(stage, layers=math.ceil(count)) for stage, count in pairs))
