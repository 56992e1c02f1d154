"""Deviations that networks of one depth, width or resolution share.

Channels and layers are rounded, and stems and heads do not grow with the rest: all networks of width 0.75 may be a
little better than a smooth law says. Where several measured networks have one multiplier, their common deviation shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MIN_LEVELS = 3
"""Levels of a dimension that count, at least: two cannot tell a deviation from the slope between them."""
MIN_VISIBLE = 4
"""Levels of one of the dimensions, at least: intercept, slope and saturation fit three whatever their deviations."""
SPAN = 0.02
"""Log multipliers so far from a level share nothing with it, nearer ones a part."""


@dataclass(frozen=True)
class Levels:
    """Multipliers that several measured networks have.

    dimension   of each level, as a column of x [L]
    value       its log multiplier [L]
    """

    dimension: NDArray[np.int64]
    value: Floats

    def columns(self, x: Floats) -> Floats:
        """Share of each level in networks at log multipliers x [P, D]: 1 at it, 0 from SPAN on [P, L]."""
        return np.asarray(np.clip(1 - np.abs(x[:, self.dimension] - self.value) / SPAN, 0, None))

    def unknown(self, x: Floats, known: bool) -> Floats:
        """Variance of the deviations at x [P, D] that no level accounts for, in units of one deviation's variance [P].

        Of all deviations, unless those of the levels are known.
        """
        explained = self.columns(x) ** 2 * known
        by_dimension = [explained[:, self.dimension == d].sum(1) for d in np.unique(self.dimension)]
        return np.asarray(sum((np.clip(1 - one, 0, None) for one in by_dimension), np.zeros(len(x))))


def find_levels(x: Floats) -> Levels:
    """The levels of networks at log multipliers x [N, D]; networks within half of SPAN of the next have one.

    Dimensions with fewer than MIN_LEVELS are left out, and all are unless one of them has MIN_VISIBLE.
    """
    found = list(map(_shared, x.T))
    if max(map(len, found), default=0) < MIN_VISIBLE:
        found = []
    found = [values if len(values) >= MIN_LEVELS else values[:0] for values in found]
    dimension = np.repeat(np.arange(len(found)), [len(values) for values in found])
    return Levels(dimension, np.concatenate([*found, np.zeros(0)]))


def _shared(values: Floats) -> Floats:
    """The values [N] that several networks have, each the mean of theirs."""
    ordered = np.sort(values)
    groups = np.split(ordered, np.flatnonzero(np.diff(ordered) > SPAN / 2) + 1)
    return np.array([group.mean() for group in groups if len(group) > 1])
