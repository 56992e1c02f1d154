"""Mutations that stay within the bands of metrics: many mutants at once, and walks into the bands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search_spaces.counting.band import Within, whole_bounds
from search_spaces.spaces.space import Ints, Space

MAX_CHANGES = 4
STEPS = 12  # largest number of steps of a walk into the band


def inside(space: Space, encodings: Ints, within: Within | None) -> NDArray[np.bool_]:
    """Which of encodings [n, k] lie within the bands of metrics; all of them without a band."""
    return np.ones(len(encodings), dtype=bool) if not within else space.inside(encodings, within=within)


def mutants(space: Space, rng: np.random.Generator, parents: Ints, n: int, within: Within | None = None) -> Ints:
    """Up to n encodings [m, k] within the bands, parents [p, k] with one choice changed, half as often two, and so on.

    In a narrow band one change must often be compensated by another, so one to `MAX_CHANGES` choices change.
    """
    radices = np.array(space.radices)
    movable = np.flatnonzero(radices > 1)
    rows = parents[rng.integers(0, len(parents), size=n)].copy()
    changes = np.minimum(rng.geometric(0.5, size=n), MAX_CHANGES)
    if not len(movable):
        return rows[:0]
    for step in range(MAX_CHANGES):
        moved = np.flatnonzero(changes > step)
        columns = rng.choice(movable, size=len(moved))
        shift = rng.integers(1, radices[columns])
        rows[moved, columns] = (rows[moved, columns] + shift) % radices[columns]
    return rows[inside(space, rows, within)]


def into_band(space: Space, rng: np.random.Generator, encoding: Ints, within: Within | None) -> Ints | None:
    """The encoding, or one within the bands a few changes away; None if the walk does not reach them.

    Each step takes the neighbour that is nearest to the bands, a random one among those inside.
    """
    if inside(space, encoding[None], within)[0]:
        return encoding
    assert within
    for _ in range(STEPS):
        around = space.neighbours(encoding)
        near = np.flatnonzero(space.inside(around, within=within))
        if len(near):
            return np.asarray(around[rng.choice(near)])
        distance = _distance(space, around, within)
        encoding = around[rng.choice(np.flatnonzero(distance == distance.min()))]
    return None


def _distance(space: Space, rows: Ints, within: Within) -> NDArray[np.float64]:
    """How far encodings [n, k] are from the bands: the sum of each metric's distance as a share of the band's end."""
    distance = np.zeros(len(rows))
    for metric, (low, high) in whole_bounds(None, within).items():
        values = space.values(rows, metric)
        outside = np.maximum(np.maximum(low - values, values - high), 0)
        distance += outside / max(1, min(high, int(values.max())))
    return distance
