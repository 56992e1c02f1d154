"""The choices of one stage of a staged space, and the metrics of each option, from the walk."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces.metrics.compute import Section, parts_of
from search_spaces.metrics.registry import Metric
from search_spaces.networks.arch import Stage, canonical_stage
from search_spaces.networks.layers import stage_blocks

Option = tuple[Any, ...]  # values of OPTION_NAMES


CHOICES = ("op", "kernel", "se", "skip", "filters", "layers")
OPTION_NAMES = tuple(name for name in CHOICES if name != "filters")
_LABEL = re.compile(r"([a-z]+)(\d+(?:\.\d+)?)?")
_OWN_LABEL = re.compile(r"(.+:[A-Za-z_]\w*)(?::(\d+(?:\.\d+)?))?")


@dataclass(frozen=True)
class StageChoices:
    """One stage: a fixed stride, and the values of each of its choices.

    An `op` is an operator's name followed by its expansion, if it has one: "conv", "mbconv6", and with a user's own
    "my_ops:ghost", "my_ops:ghost:6". The choice `filters`
    is a label, usually the factor on a reference network; `channels` are the numbers of channels the labels stand for.
    Operators named by `unsqueezed` have no squeeze-and-excitation, whatever the value of `se`.
    Raises ValueError if labels and channels are not paired, or a `Stage` does not accept a value.
    """

    stride: int
    op: tuple[str, ...]
    kernel: tuple[int, ...]
    se: tuple[float, ...]
    skip: tuple[str, ...]
    filters: tuple[float, ...]
    layers: tuple[int, ...]
    channels: tuple[int, ...]
    unsqueezed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.filters) != len(self.channels):
            raise ValueError(f"filters {self.filters} must name as many numbers of channels, got {self.channels}")
        for channels in self.channels:
            tuple(self.stages(channels))

    @property
    def values(self) -> dict[str, tuple[str | float, ...]]:
        """The choices in the order of the encoding."""
        return {name: getattr(self, name) for name in CHOICES}

    @property
    def options(self) -> tuple[Option, ...]:
        """All values of (op, kernel, se, skip, layers), the last varying fastest: all choices except the filters."""
        return tuple(product(self.op, self.kernel, self.se, self.skip, self.layers))

    def stage(self, choice: Mapping[str, Any]) -> Stage:
        """The stage of one value of each choice."""
        option = tuple(choice[name] for name in OPTION_NAMES)
        return self._stage(option, self.channels[self.filters.index(choice["filters"])])

    def stages(self, channels: int) -> Iterator[Stage]:
        """The stages of all options with some number of channels."""
        return (self._stage(option, channels) for option in self.options)

    def find(self, stage: Stage, in_channels: int) -> NDArray[np.int64] | None:
        """The encoding of a stage, given the channels that enter it, or None if no option is this stage."""
        if stage.stride != self.stride or stage.channels not in self.channels:
            return None
        wanted = canonical_stage(stage, in_channels)
        for option, candidate in zip(self.options, self.stages(stage.channels), strict=True):
            if canonical_stage(candidate, in_channels) == wanted:
                filters = self.filters[self.channels.index(stage.channels)]
                values = dict(zip(OPTION_NAMES, option, strict=True), filters=filters)
                return np.array([self.values[name].index(values[name]) for name in CHOICES], dtype=np.int64)
        return None

    def _stage(self, option: Option, channels: int) -> Stage:
        op, kernel, se, skip, layers = option
        name, expansion = split_op(op)
        ratio = 0.0 if name in self.unsqueezed else se
        return Stage(name, kernel, self.stride, channels, layers, expansion, ratio, skip)


def split_op(op: str) -> tuple[str, float]:
    """An operator's label as name and expansion: mbconv6 is ("mbconv", 6.0), conv is ("conv", 1.0).

    A user's own may end with a digit, so a colon sets its expansion apart: my_ops:ghost2:6 is ("my_ops:ghost2", 6.0).
    """
    match = _LABEL.fullmatch(op) or _OWN_LABEL.fullmatch(op)
    if not match:
        raise ValueError(f"an op is a name with its expansion behind it, such as mbconv6, got '{op}'")
    return match[1], float(match[2] or 1)


def stage_parts(
    choices: StageChoices, in_channels: Sequence[int], in_size: int, activation: str, metrics: Sequence[Metric]
) -> NDArray[np.int64]:
    """Each metric's (held, peak) of a stage for each number of channels in and out, [metrics, 2, in, out, option].

    All layers after the first are alike, so one walk of two layers gives the values of every depth.
    """
    shallow = dataclasses.replace(choices, layers=(2,))
    pairs = []
    for channels in in_channels:
        for out in choices.channels:
            for stage in shallow.stages(out):
                both = tuple(stage_blocks(stage, channels, in_size, activation, "stage"))
                pairs.append((section_parts([both[:1]], metrics), section_parts([both], metrics)))
    values = np.array(pairs, dtype=np.int64).reshape(len(in_channels), len(choices.channels), -1, 2, len(metrics), 2)
    one, two = values.transpose(3, 4, 5, 0, 1, 2)[..., None]
    depths = np.array(choices.layers)
    held = one[:, 0] + (two[:, 0] - one[:, 0]) * (depths - 1)
    peak = np.where(depths > 1, two[:, 1], one[:, 1])
    parts: NDArray[np.int64] = np.stack([held, peak], axis=1)
    return parts.reshape(*parts.shape[:4], -1)


def section_parts(sections: Sequence[Section], metrics: Sequence[Metric]) -> NDArray[np.int64]:
    """Each metric's (held, peak) of neighbouring sections together, [metrics, 2]."""
    parts = np.array([[parts_of(metric, section) for metric in metrics] for section in sections], dtype=np.int64)
    return np.stack([parts[:, :, 0].sum(axis=0), parts[:, :, 1].max(axis=0)], axis=1)


def representatives(choices: StageChoices, in_channels: Sequence[int]) -> NDArray[np.int64]:
    """For each [in, out, option] the first option that is the same stage."""
    table = [[_first_equal(choices, channels, out) for out in choices.channels] for channels in in_channels]
    return np.array(table, dtype=np.int64)


def _first_equal(choices: StageChoices, in_channels: int, channels: int) -> list[int]:
    first: dict[Stage, int] = {}
    return [
        first.setdefault(canonical_stage(stage, in_channels), option)
        for option, stage in enumerate(choices.stages(channels))
    ]
