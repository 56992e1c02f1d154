"""Features of networks for the Gaussian process: their choices, how often each value occurs, and their costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from numbers import Real
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from search_spaces.counting.band import Within
from search_spaces.metrics.registry import METRICS
from search_spaces.spaces.space import COUNTS, Ints, Space

Floats = NDArray[np.float64]
STANDARDISED_OVER = 512  # encodings that summaries are standardised over


class Inputs(NamedTuple):
    """n networks: `choices` [n, bits], `summaries` [n, f], standardised; `size` [n], the mean standardised log cost."""

    choices: Floats
    summaries: Floats
    size: Floats

    def rows(self, index: NDArray[np.int64]) -> Inputs:
        """Some of the networks."""
        return Inputs(*(part[index] for part in self))


class Features:
    """Turns encodings into `Inputs`.

    A choice among numbers is ordinal: the squared distance of two values is their distance in rank, scaled to 1.
    Any other is one-hot: two different values are at distance 1. `owner` [bits] says which choice a bit belongs to.
    Summaries are how often each value occurs among the choices that share their values (a cell's operations, say) and
    the logarithms of parameters, multiply-adds and activations, where the space computes costs from tables. The other
    metrics with a band join them, if they come from tables.
    """

    def __init__(self, space: Space, within: Within | None) -> None:
        self._space = space
        self.has_costs = _has_costs(space)
        self._codes = [_code(values) for values in space.choices.values()]
        self._groups = _groups(space)
        self.owner: Ints = np.repeat(np.arange(len(self._codes)), [code.shape[1] for code in self._codes])
        others = [name for name in within or () if name not in COUNTS and METRICS.row(name).is_tabulated]
        self._metrics = others if self.has_costs else []
        of = "encodings" if within is None else "networks"
        rows = space.sample(np.random.default_rng(0), STANDARDISED_OVER, within=within, of=of)  # type: ignore[arg-type]
        parts = (self._counts(rows), self._log_costs(rows), self._log_others(rows))
        self._centre = [(part.mean(axis=0), part.std(axis=0)) for part in parts]

    def __call__(self, encodings: Ints) -> Inputs:
        """The inputs of encodings [n, k]."""
        choices = np.concatenate([code[column] for code, column in zip(self._codes, encodings.T, strict=True)], axis=1)
        parts = (self._counts(encodings), self._log_costs(encodings), self._log_others(encodings))
        counts, costs, others = (
            (part - mean)[:, spread > 1e-9] / spread[spread > 1e-9]
            for part, (mean, spread) in zip(parts, self._centre, strict=True)
        )
        size = costs.mean(axis=1) if costs.shape[1] else np.zeros(len(encodings))
        return Inputs(choices, np.concatenate([counts, costs, others], axis=1), size)

    def _counts(self, rows: Ints) -> Floats:
        columns = [(rows[:, group] == value).sum(axis=1) for group, radix in self._groups for value in range(radix)]
        return np.array(columns, dtype=np.float64).reshape(-1, len(rows)).T

    def _log_costs(self, rows: Ints) -> Floats:
        if not self.has_costs:
            return np.zeros((len(rows), 0))
        return _logs(self._space.costs(rows))

    def _log_others(self, rows: Ints) -> Floats:
        if not self._metrics:
            return np.zeros((len(rows), 0))
        return _logs([self._space.values(rows, name) for name in self._metrics])


def features(space: Space, within: Within | None) -> Features:
    """The features of a space within some bands, made once."""
    return _features(space, None if within is None else tuple(within.items()))


@lru_cache(maxsize=4)
def _features(space: Space, within: tuple[tuple[str, tuple[float | None, float | None]], ...] | None) -> Features:
    return Features(space, None if within is None else dict(within))


def _logs(metrics: Sequence[Ints]) -> Floats:
    """The logarithms [n, m] of m metrics [n], of 1 for those below 1."""
    return np.log(np.maximum(np.array(metrics, dtype=np.float64), 1.0)).T


def _has_costs(space: Space) -> bool:
    """Whether costs come from tables. A plain space walks each network's layers: too slow for thousands of them."""
    if type(space).costs is Space.costs:
        return False
    try:
        space.costs(np.zeros((1, len(space.radices)), dtype=np.int64))
    except ValueError:  # no cost model
        return False
    return True


def _code(values: tuple[object, ...]) -> Floats:
    """The bits [values, bits] of each value of a choice."""
    number = len(values)
    if number == 1:
        return np.zeros((1, 0))
    if all(isinstance(value, Real) and not isinstance(value, bool) for value in values):
        ranks = np.argsort(np.argsort(np.array(values, dtype=np.float64)))
        return np.asarray((ranks[:, None] > np.arange(number - 1)) / np.sqrt(number - 1))
    return np.asarray(np.eye(number) / np.sqrt(2))


def _groups(space: Space) -> list[tuple[list[int], int]]:
    """The columns of choices that share their values, with the number of values."""
    members: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for column, values in enumerate(space.choices.values()):
        members[tuple(map(repr, values))].append(column)
    return [(columns, len(values)) for values, columns in members.items() if len(columns) > 1 and len(values) > 1]
