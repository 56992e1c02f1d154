"""Drawing paths of a trellis exactly uniformly from those whose cost lies in a band."""

from __future__ import annotations

import numpy as np

from search_spaces.counting.band import Band
from search_spaces.counting.binned import Bins
from search_spaces.counting.count import count_in_band
from search_spaces.counting.paths import Paths, costs_of
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
        bins = Bins(trellis, width)
        self._paths = Paths(bins, *bins.window(self.band))

    def draw(self, rng: np.random.Generator, n: int) -> tuple[Ints, Ints]:
        """The out-states [n, stages] and options [n, stages] of n independent paths."""
        kept: list[tuple[Ints, Ints]] = []
        missing, share, empty_batches = n, 1.0, 0
        while missing > 0:
            if self._paths.is_empty:
                raise EmptyBandError
            proposals = min(BATCH_PATHS, int(missing / share * 1.1) + 8)
            states, options = self._paths.draw(rng, proposals)
            costs = costs_of(self.trellis.costs, states, options)
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
