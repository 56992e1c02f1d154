"""Count the paths of a trellis with a cost in a band: exactly if that is cheap, else with rigorous bounds."""

from __future__ import annotations

from search_spaces.counting.band import Band
from search_spaces.counting.binned import Bins
from search_spaces.counting.exact import exact_count
from search_spaces.counting.trellis import Trellis

TOLERANCE = 1e-3  # of the bounds, relative to the lower one
MAX_QUICK_SUMS = 500_000  # sums that take a fraction of a second
MAX_SUMS = 20_000_000  # sums, or bins, that fit the memory of a small machine


def count_in_band(trellis: Trellis, band: Band) -> tuple[int, int]:
    """Bounds of the number of paths with a cost in the band (inclusive), equal or no wider than 0.1 %.

    Small trellises are counted exactly. Otherwise bins are made fine enough for the band; a band so narrow that there
    would be too many bins is counted exactly too. If a trellis has too many stages for that, the result is the bounds
    of the finest bins, which are rigorous but wider.
    """
    min_cost, max_cost = trellis.range
    low, high = max(band[0], min_cost), min(band[1], max_cost)
    if low > high:
        return 0, 0
    if (low, high) == (min_cost, max_cost):
        return trellis.size, trellis.size
    exact = exact_count(trellis, (low, high), MAX_QUICK_SUMS)
    if exact is not None:
        return exact, exact
    return _count_in_bins(trellis, (low, high))


def _count_in_bins(trellis: Trellis, band: Band) -> tuple[int, int]:
    low, high = band
    reach = min(high - trellis.range[0], trellis.range[1] - low)
    width = max(1, reach // MAX_SUMS, int((high - low) * TOLERANCE / (4 * len(trellis.costs))))
    while True:
        if reach // width > MAX_SUMS // 4:
            exact = exact_count(trellis, band, MAX_SUMS)
            if exact is not None:
                return exact, exact
        lower, upper = Bins(trellis, width).count(band)
        excess = (upper - lower) / max(lower, 1) / TOLERANCE
        finest = max(1, reach // MAX_SUMS)
        if excess <= 1 or width <= finest:
            return lower, upper
        width = max(finest, int(width * max(0.8 / excess, 0.05)))
