"""The networks of a proxy study: exactly uniform inside each slice of the cost band, equally many from each slice."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from search_spaces.counting.band import Band
from search_spaces.networks.arch import Arch
from search_spaces.spaces.space import Space

SLICES = 8
# So many rounds over all slices in a row without a network that is new: there are no more.
MAX_ATTEMPTS = 50


def spread(space: Space, band: Band, number: int, seed: int) -> list[Arch]:
    """`number` different networks of a space, spread evenly over the band of multiply-adds.

    The band is cut into 8 slices of equal width. Slice by slice, in turns, a network is drawn uniformly from the
    different networks there; one that was drawn before is passed over, and so is a slice that holds none. A smaller
    sample is the beginning of a larger one. Raises ValueError where the band does not hold so many.
    """
    found: dict[str, Arch] = {}
    turn = last = 0
    while len(found) < number:
        for index, part in enumerate(_slices(band)):
            arch = _draw(space, part, np.random.default_rng((seed, turn, index)))
            if arch is not None and arch.key not in found and len(found) < number:
                found[arch.key], last = arch, turn
        if turn - last == MAX_ATTEMPTS:
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
    """A network of the band; None where there is none."""
    try:
        (encoding,) = space.sample(rng, 1, macs=band, of="networks")
    except ValueError:
        return None
    arch: Arch = space.decode(space.choice(encoding))
    return arch
