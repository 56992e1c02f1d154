"""The value of a metric for a network, and of all metrics that are computed."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from search_spaces.common.user_code import called
from search_spaces.metrics.registry import METRICS, Conditions, Metric
from search_spaces.networks.arch import Arch
from search_spaces.networks.blocks import Block, Classifier
from search_spaces.networks.layers import sections as network_sections

Section = Sequence[Block | Classifier]


USUAL = Conditions()


def compute(name: str, arch: Arch, conditions: Conditions = USUAL) -> int:
    """The value of the metric of that name, or of a user's `module:name`, for a network, in raw units.

    Raises ValueError for an unknown metric, one that only a worker can measure, and one whose code raises an error or
    returns no whole number of at least 0.
    """
    return _computed(METRICS.row(name), arch, sections_of(arch), conditions)


def compute_all(arch: Arch, conditions: Conditions = USUAL, also: Iterable[str] = ()) -> dict[str, int]:
    """The values of all computed metrics of the registry by name, and of those named in `also`, such as a user's.

    Raises ValueError as `compute` does.
    """
    rows = [METRICS.row(name) for name in dict.fromkeys([*METRICS, *also])]
    parts = sections_of(arch)
    return {row.name: _computed(row, arch, parts, conditions) for row in rows if not row.is_measured}


def _computed(metric: Metric, arch: Arch, sections: Sequence[Section], conditions: Conditions) -> int:
    if metric.is_measured:
        raise ValueError(f"metric {metric.name} is measured on a worker: it cannot be computed")
    if metric.kind == "computed":
        return _whole(metric, arch.key, _called(metric, arch.key, arch, conditions))
    parts = [parts_of(metric, section) for section in sections]
    return sum(held for held, _ in parts) + max(peak for _, peak in parts)


def sections_of(arch: Arch) -> list[Section]:
    """The blocks of the stem, of each stage, of the head if there is one, and the classifier."""
    stem, stages, head, classifier = network_sections(arch)
    return [(stem,), *stages, *((block,) for block in head), (classifier,)]


def parts_of(metric: Metric, section: Section) -> tuple[int, int]:
    """What a section adds to an additive or a peak metric, and its peak beside that; 0 for an additive one."""
    if metric.kind == "additive":
        return sum(_whole(metric, _name(block), _called(metric, _name(block), block)) for block in section), 0
    place = _name(section[0])
    found = _called(metric, place, section)
    if not isinstance(found, tuple) or len(found) != 2:
        raise ValueError(f"metric {metric.name} must return two whole numbers (held, peak), got {found!r} for {place}")
    held, peak = found
    return _whole(metric, place, held), _whole(metric, place, peak)


def _called(metric: Metric, place: str, *given: Any) -> Any:
    function: Callable[..., Any] = metric.load()
    return called(f"metric {metric.name} for {place}", function, *given) if metric.is_own else function(*given)


def _whole(metric: Metric, place: str, value: Any) -> int:
    try:
        whole = operator.index(value)
    except TypeError:
        whole = -1
    if whole < 0:
        raise ValueError(f"metric {metric.name} must return whole numbers of at least 0, got {value!r} for {place}")
    return whole


def _name(block: Block | Classifier) -> str:
    return block.name if isinstance(block, Block) else "classifier"
