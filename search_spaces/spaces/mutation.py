"""Mutations that stay in a cost band: many mutants at once, and walks into the band."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search_spaces.counting.band import Band
from search_spaces.spaces.space import Ints, Space

MAX_CHANGES = 4
STEPS = 12  # largest number of steps of a walk into the band


def inside(space: Space, encodings: Ints, band: Band | None) -> NDArray[np.bool_]:
    """Which of encodings [n, k] lie in the band; all of them if the band is None."""
    return np.ones(len(encodings), dtype=bool) if band is None else space.inside(encodings, band)


def mutants(space: Space, rng: np.random.Generator, parents: Ints, n: int, band: Band | None = None) -> Ints:
    """Up to n encodings [m, k] inside the band, parents [p, k] with one choice changed, half as often two, and so on.

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
    return rows[inside(space, rows, band)]


def into_band(space: Space, rng: np.random.Generator, encoding: Ints, band: Band | None) -> Ints | None:
    """The encoding, or one in the band a few changes away; None if the walk does not reach the band.

    Each step takes the neighbour that is nearest to the band, a random one among those inside.
    """
    if inside(space, encoding[None], band)[0]:
        return encoding
    assert band is not None
    for _ in range(STEPS):
        around = space.neighbours(encoding)
        within = np.flatnonzero(space.inside(around, band))
        if len(within):
            return np.asarray(around[rng.choice(within)])
        macs = space.costs(around).macs
        distance = np.maximum(band[0] - macs, macs - band[1])
        encoding = around[rng.choice(np.flatnonzero(distance == distance.min()))]
    return None
