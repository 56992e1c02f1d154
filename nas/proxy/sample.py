"""The networks of a proxy study: uniform inside each slice of the cost band, equally many from each slice."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from search_spaces.counting.band import Band
from search_spaces.networks.arch import Arch
from search_spaces.spaces.space import Space

SLICES = 8
# The sample ends after so many rounds over all slices without a new network.
MAX_ROUNDS_WITHOUT_NEW = 50


def spread(space: Space, band: Band, number: int, seed: int) -> list[Arch]:
    """`number` different networks of a space, spread evenly over the band of multiply-adds.

    The band is cut into 8 slices of equal width. In turns, a network is drawn uniformly from the different networks of
    each slice; repeated networks and empty slices are skipped. A smaller sample is the beginning of a larger one.
    Raises ValueError if the band holds fewer networks.
    """
    found: dict[str, Arch] = {}
    turn = last = 0
    while len(found) < number:
        for index, part in enumerate(_slices(band)):
            arch = _draw(space, part, np.random.default_rng((seed, turn, index)))
            if arch is not None and arch.key not in found and len(found) < number:
                found[arch.key], last = arch, turn
        if turn - last == MAX_ROUNDS_WITHOUT_NEW:
            raise ValueError(
                f"--networks {number}: only {len(found)} networks were found between {band[0]} and {band[1]} "
                "multiply-adds; ask for fewer, or widen --cost-band"
            )
        turn += 1
    return list(found.values())


def _slices(band: Band) -> list[Band]:
    """The band in parts of equal width, both ends of each inclusive."""
    low, high = band
    number = min(SLICES, high - low + 1)
    edges = [low + (high - low + 1) * index // number for index in range(number + 1)]
    return [(start, end - 1) for start, end in pairwise(edges)]


def _draw(space: Space, band: Band, rng: np.random.Generator) -> Arch | None:
    """A network of the band; None if it is empty."""
    try:
        (encoding,) = space.sample(rng, 1, macs=band, of="networks")
    except ValueError:
        return None
    arch: Arch = space.decode(space.choice(encoding))
    return arch
