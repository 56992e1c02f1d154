"""The networks of a proxy study: uniform inside each slice of the cost band, equally many from each slice."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from nas.region import SearchRegion
from search_spaces.counting.band import Band
from search_spaces.networks.arch import Arch

SLICES = 8
# The sample ends after so many rounds over all slices without a new network.
MAX_ROUNDS_WITHOUT_NEW = 50


def spread(region: SearchRegion, number: int, seed: int) -> list[Arch]:
    """`number` different networks of a region, spread evenly over its band.

    The band is cut into 8 slices of equal width. In turns, a network is drawn uniformly from the different networks of
    each slice; repeated networks and empty slices are skipped. A smaller sample is the beginning of a larger one.
    Raises ValueError if the region holds fewer networks.
    """
    found: dict[str, Arch] = {}
    turn = last = 0
    while len(found) < number:
        for index, part in enumerate(_slices(region.band)):
            arch = _draw(region, part, np.random.default_rng((seed, turn, index)))
            if arch is not None and arch.key not in found and len(found) < number:
                found[arch.key], last = arch, turn
        if turn - last == MAX_ROUNDS_WITHOUT_NEW:
            raise ValueError(
                f"--networks {number}: only {len(found)} networks were found between {region.band[0]} and "
                f"{region.band[1]} {region.metric.label}; ask for fewer, or widen --cost-band"
            )
        turn += 1
    return list(found.values())


def _slices(band: Band) -> list[Band]:
    """The band in parts of equal width, both ends of each inclusive."""
    low, high = band
    number = min(SLICES, high - low + 1)
    edges = [low + (high - low + 1) * index // number for index in range(number + 1)]
    return [(start, end - 1) for start, end in pairwise(edges)]


def _draw(region: SearchRegion, band: Band, rng: np.random.Generator) -> Arch | None:
    """A network of the region with a part of its band; None if there is none."""
    space = region.space
    try:
        (encoding,) = space.sample(rng, 1, within=region.slice(band), of="networks")
    except ValueError:
        return None
    arch: Arch = space.decode(space.choice(encoding))
    return arch
