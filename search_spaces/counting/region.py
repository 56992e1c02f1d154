"""Paths of a trellis that satisfy more than one constraint: drawn exactly uniformly, and their number estimated.

Each constraint's costs are rounded to bins of its own. The bins of all constraints together are one whole number, whose
digits are the bins, so that one trellis counts paths by all of them. Conditions that are not sums, such as a peak, are
left to an exact check of each path that is drawn; what it rejects costs time and changes no probability.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from search_spaces.counting.band import Band
from search_spaces.counting.binned import Bins
from search_spaces.counting.paths import Paths
from search_spaces.counting.trellis import Ints, Trellis

MAX_REGION_BINS = 120_000  # bins of all constraints together
MAX_BINS = 4_000  # of one constraint
BATCH_PATHS = 4096
ESTIMATED_FROM = 20_000  # paths that a share is estimated from, at least
MIN_ACCEPTED = 50  # of them, unless as many are drawn as may be rejected in a row
DEVIATIONS = 2.5758  # standard deviations on both sides that hold 99 %


class EmptyRegionError(Exception):
    """No path satisfies the constraints, or so few that none was found."""


class Constraint(NamedTuple):
    """The costs of the steps, [in, out, option] for each stage, and the band that a path's sum must lie in."""

    costs: tuple[Ints, ...]
    band: Band


Accept = Callable[[Ints, Ints], NDArray[np.bool_]]
"""Which of n paths satisfy everything exactly: bools [n] for out-states and options [n, stages]."""


class Region:
    """Draws and counts paths within some constraints.

    accept         checks paths exactly
    max_rejections paths that are drawn without an accepted one before the region counts as empty
    """

    def __init__(
        self,
        allowed: Sequence[NDArray[np.bool_]],
        constraints: Sequence[Constraint],
        accept: Accept,
        max_rejections: int,
    ) -> None:
        """Raises EmptyRegionError if no path can satisfy the constraints."""
        self._accept, self._max_rejections = accept, max_rejections
        self._stages = len(allowed)
        trellises = _pruned(tuple(allowed), constraints)
        kept = trellises[0].allowed if trellises else tuple(allowed)
        digits = [
            _Digit.of(trellis, each.band, len(constraints))
            for trellis, each in zip(trellises, constraints, strict=True)
        ]
        weights = [math.prod(digit.radix for digit in digits[:place]) for place in range(len(digits))]
        steps = [np.zeros(part.shape, dtype=np.int64) for part in kept]
        first = last = 0
        for digit, weight in zip(digits, weights, strict=True):
            first, last = first + weight * digit.first, last + weight * digit.last
            steps = [step + weight * bins for step, bins in zip(steps, digit.bins.bins, strict=True)]
        joint = Bins(Trellis(tuple(steps), kept), 1)
        # A bin of `joint` counts from its offset, the sum of each stage's least step.
        first, last = max(0, first - joint.offset), last - joint.offset
        if last < 0:
            raise EmptyRegionError
        inside = np.ones(last + 1 - first, dtype=bool)
        for digit, weight in zip(digits, weights, strict=True):
            place = (np.arange(first, last + 1) + joint.offset) // weight % digit.radix
            inside &= (digit.first <= place) & (place <= digit.last)
        self._paths = Paths(joint, first, last, inside)
        if self._paths.is_empty:
            raise EmptyRegionError

    @property
    def proposals(self) -> int:
        """The number of paths that are drawn from: those in the region, and some more."""
        return int(self._paths.by_bin[1].sum())

    def draw(self, rng: np.random.Generator, n: int) -> tuple[Ints, Ints]:
        """The out-states and options [n, stages] of n independent paths of the region, exactly uniform.

        Raises EmptyRegionError if none is found.
        """
        kept: list[tuple[Ints, Ints]] = [(np.zeros((0, self._stages), dtype=np.int64),) * 2]
        missing, share, rejected = n, 1.0, 0
        while missing > 0:
            proposals = min(BATCH_PATHS, self._max_rejections, int(missing / share * 1.1) + 8)
            states, options = self._paths.draw(rng, proposals)
            inside = self._accept(states, options)
            share = max(float(inside.mean()), 1e-3)
            rejected = 0 if inside.any() else rejected + proposals
            if rejected >= self._max_rejections:
                raise EmptyRegionError
            kept.append((states[inside][:missing], options[inside][:missing]))
            missing -= len(kept[-1][0])
        states, options = (np.concatenate(part) for part in zip(*kept, strict=True))
        return states, options

    def count(self, rng: np.random.Generator) -> tuple[int, int]:
        """An interval that holds the number of paths with a probability of 99 %, from paths that are drawn.

        Where few of them are accepted more are drawn, so that a small share is known too.
        """
        enough, drawn, accepted = min(ESTIMATED_FROM, self._max_rejections // 10), 0, 0
        while drawn < enough or (accepted < MIN_ACCEPTED and drawn < self._max_rejections):
            accepted += int(self._accept(*self._paths.draw(rng, min(BATCH_PATHS, enough))).sum())
            drawn += min(BATCH_PATHS, enough)
        low, high = share_interval(accepted, drawn)
        return math.floor(low * self.proposals), math.ceil(high * self.proposals)


def share_interval(found: int, number: int) -> tuple[float, float]:
    """The score interval of a share of which `found` of `number` draws were seen (Wilson 1927), at 99 %."""
    share, spread = found / number, DEVIATIONS**2 / number
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * share * (1 - share) + spread**2 / 4) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


class _Digit(NamedTuple):
    """A constraint's costs as bins: one digit of the number that stands for all constraints.

    first, last  bins that reach into the band
    radix        more than the highest bin of a path
    """

    bins: Bins
    first: int
    last: int
    radix: int

    @classmethod
    def of(cls, trellis: Trellis, band: Band, constraints: int) -> _Digit:
        low, high = trellis.range
        each = min(MAX_BINS, int(MAX_REGION_BINS ** (1 / constraints)))
        bins = Bins(trellis, max(1, -(-(high - low) // each)))
        first, last = bins.window(band)
        radix = sum(bins.most) + 1
        return cls(bins, first, min(last, radix - 1), radix)


def _pruned(allowed: tuple[NDArray[np.bool_], ...], constraints: Sequence[Constraint]) -> list[Trellis]:
    """A trellis for each constraint, all with the steps that paths within each single constraint take.

    Raises EmptyRegionError if a stage has none.
    """
    while True:
        before = sum(int(part.sum()) for part in allowed)
        for each in constraints:
            allowed = _reachable(Trellis(each.costs, allowed), each.band)
            if not all(part.any() for part in allowed):
                raise EmptyRegionError
        if sum(int(part.sum()) for part in allowed) == before:
            return [Trellis(each.costs, allowed) for each in constraints]


def _reachable(trellis: Trellis, band: Band) -> tuple[NDArray[np.bool_], ...]:
    """The steps that lie on a path with a cost in the band, as far as the lowest and the highest cost tell."""
    low_before, high_before = trellis.ends()
    low_after, high_after = trellis.backwards().ends()
    kept = []
    for stage, (costs, allowed) in enumerate(zip(trellis.costs, trellis.allowed, strict=True)):
        rest = len(trellis.costs) - 1 - stage
        lowest = low_before[stage][:, None, None] + costs + low_after[rest][None, :, None]
        highest = high_before[stage][:, None, None] + costs + high_after[rest][None, :, None]
        kept.append(allowed & (lowest <= band[1]) & (highest >= band[0]))
    return tuple(kept)
