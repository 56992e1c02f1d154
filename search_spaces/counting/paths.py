"""Drawing paths of a binned trellis uniformly from those that end in some of its bins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search_spaces.counting.binned import Bins, Counts
from search_spaces.counting.trellis import Ints


class Paths:
    """The paths of a binned trellis that end in the bins first..last, or in those of them that `keep` selects.

    keep  which of the end bins count, as a function of their numbers [bins] that returns bools [bins]
    """

    def __init__(self, bins: Bins, first: int, last: int, keep: NDArray[np.bool_] | None = None) -> None:
        self._bins = bins
        self._forward = [(0, np.ones((1, 1), dtype=bins.dtype)), *bins.forward(first, last)]
        self._start, ends = self._forward[-1]
        if keep is not None:
            ends = ends * keep[self._start - first : self._start - first + ends.shape[1]]
        self._ends = ends
        self._cumulative = np.cumsum(ends.reshape(1, -1), axis=1)

    @property
    def by_bin(self) -> tuple[int, Counts]:
        """A first bin, and from it on the number of paths that end in each."""
        return self._start, self._ends.sum(axis=0)

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return not self._ends.any()

    def draw(self, rng: np.random.Generator, n: int) -> tuple[Ints, Ints]:
        """Out-states and options [n, stages] of n independent paths, uniform over all. There must be some."""
        state, bin_ = np.divmod(_draw(rng, self._cumulative, n), self._ends.shape[1])
        bin_ += self._start
        stages = len(self._bins.bins)
        states, options = np.zeros((n, stages), dtype=np.int64), np.zeros((n, stages), dtype=np.int64)
        for stage in reversed(range(stages)):
            states[:, stage] = state
            source, options[:, stage] = self._step_back(rng, stage, state, bin_)
            bin_ = bin_ - self._bins.bins[stage][source, state, options[:, stage]]
            state = source
        return states, options

    def _step_back(self, rng: np.random.Generator, stage: int, state: Ints, bin_: Ints) -> tuple[Ints, Ints]:
        """Where each path came from: in-state and option, drawn in proportion to the partial paths that lead there."""
        start, counts = self._forward[stage]
        bins, allowed = self._bins.bins[stage], self._bins.trellis.allowed[stage]
        before = bin_[:, None, None] - bins.transpose(1, 0, 2)[state] - start
        exists = allowed.transpose(1, 0, 2)[state] & (before >= 0) & (before < counts.shape[1])
        sources = np.arange(len(counts))[:, None]
        weights = np.where(exists, counts[sources, np.where(exists, before, 0)], 0)
        drawn = _draw(rng, np.cumsum(weights.reshape(len(state), -1), axis=1), len(state))
        source, option = np.divmod(drawn, bins.shape[2])
        return source, option


def costs_of(tables: Sequence[Ints], states: Ints, options: Ints) -> Ints:
    """The costs [n] of paths, given by their out-states and options [n, stages], from the costs of the steps."""
    sources = np.concatenate([np.zeros((len(states), 1), dtype=np.int64), states[:, :-1]], axis=1)
    costs = np.zeros(len(states), dtype=np.int64)
    for stage, table in enumerate(tables):
        costs += table[sources[:, stage], states[:, stage], options[:, stage]]
    return costs


def _draw(rng: np.random.Generator, cumulative: Counts, n: int) -> Ints:
    """Positions [n] in proportion to weights given as running sums: one row for each draw, or one for all."""
    totals = np.broadcast_to(cumulative[:, -1], n)
    if cumulative.dtype == np.int64:
        threshold = rng.integers(0, totals)
    else:
        threshold = np.minimum(rng.random(n) * totals, np.nextafter(totals, 0))
    if len(cumulative) == 1:
        return np.searchsorted(cumulative[0], threshold, side="right").astype(np.int64)
    drawn: Ints = (cumulative <= threshold[:, None]).sum(axis=1, dtype=np.int64)
    return drawn
