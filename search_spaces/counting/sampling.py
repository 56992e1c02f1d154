"""Drawing paths of a trellis exactly uniformly from those whose cost lies in a band."""

from __future__ import annotations

import numpy as np

from search_spaces.counting.band import Band
from search_spaces.counting.binned import Bins, Counts
from search_spaces.counting.count import count_in_band
from search_spaces.counting.trellis import Ints, Trellis

FINE_BINS = 200  # bins in a band: few paths at its edges are then rejected
MAX_BINS = 400_000  # bins in all
BATCH_PATHS = 4096
MAX_REJECTIONS = 16  # batches without an accepted path before the band is counted


class EmptyBandError(Exception):
    """No path has a cost in the band."""


class PathSampler:
    """Draws paths backwards through the binned trellis, over all bins that reach into the band; then looks at each
    path's exact cost and rejects those outside. What is kept is exactly uniform, however wide the bins are.

    The band is inclusive; None means all paths. Raises EmptyBandError for a band without paths.
    """

    def __init__(self, trellis: Trellis, band: Band | None) -> None:
        min_cost, max_cost = trellis.range
        low, high = band or trellis.range
        self.trellis, self.band = trellis, (max(low, min_cost), min(high, max_cost))
        low, high = self.band
        if low > high:
            raise EmptyBandError
        finest = min(high - min_cost, max_cost - low) // MAX_BINS
        width = high - low + 1 if self.band == trellis.range else max(1, (high - low) // FINE_BINS, finest)
        self._bins = Bins(trellis, width)
        first, last = self._bins.window(self.band)
        self._forward = [(0, np.ones((1, 1), dtype=self._bins.dtype)), *self._bins.forward(first, last)]

    def draw(self, rng: np.random.Generator, n: int) -> tuple[Ints, Ints]:
        """The out-states [n, stages] and options [n, stages] of n independent paths."""
        kept: list[tuple[Ints, Ints]] = []
        missing, share, empty_batches = n, 1.0, 0
        while missing > 0:
            proposals = min(BATCH_PATHS, int(missing / share * 1.1) + 8)
            states, options, costs = self._propose(rng, proposals)
            inside = (self.band[0] <= costs) & (costs <= self.band[1])
            share = max(float(inside.mean()), 1e-3)
            empty_batches = 0 if inside.any() else empty_batches + 1
            if empty_batches == MAX_REJECTIONS and not count_in_band(self.trellis, self.band)[1]:
                raise EmptyBandError
            kept.append((states[inside][:missing], options[inside][:missing]))
            missing -= len(kept[-1][0])
        stages = len(self.trellis.costs)
        if not kept:
            return np.zeros((0, stages), dtype=np.int64), np.zeros((0, stages), dtype=np.int64)
        states, options = (np.concatenate(part) for part in zip(*kept, strict=True))
        return states, options

    def _propose(self, rng: np.random.Generator, n: int) -> tuple[Ints, Ints, Ints]:
        """Out-states and options of n paths drawn uniformly from all in the bins, and their exact costs."""
        start, ends = self._forward[-1]
        if not ends.sum():
            raise EmptyBandError
        state, bin_ = np.divmod(_draw(rng, np.cumsum(ends.reshape(1, -1), axis=1), n), ends.shape[1])
        bin_ += start
        stages = len(self.trellis.costs)
        states, options = np.zeros((n, stages), dtype=np.int64), np.zeros((n, stages), dtype=np.int64)
        costs = np.zeros(n, dtype=np.int64)
        for stage in reversed(range(stages)):
            states[:, stage] = state
            source, options[:, stage] = self._step_back(rng, stage, state, bin_)
            costs += self.trellis.costs[stage][source, state, options[:, stage]]
            bin_ = bin_ - self._bins.bins[stage][source, state, options[:, stage]]
            state = source
        return states, options, costs

    def _step_back(self, rng: np.random.Generator, stage: int, state: Ints, bin_: Ints) -> tuple[Ints, Ints]:
        """Where each path came from: in-state and option, drawn in proportion to the partial paths that lead there."""
        start, counts = self._forward[stage]
        bins, allowed = self._bins.bins[stage], self.trellis.allowed[stage]
        before = bin_[:, None, None] - bins.transpose(1, 0, 2)[state] - start
        exists = allowed.transpose(1, 0, 2)[state] & (before >= 0) & (before < counts.shape[1])
        sources = np.arange(len(counts))[:, None]
        weights = np.where(exists, counts[sources, np.where(exists, before, 0)], 0)
        drawn = _draw(rng, np.cumsum(weights.reshape(len(state), -1), axis=1), len(state))
        source, option = np.divmod(drawn, bins.shape[2])
        return source, option


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
