"""Metrics that are a sum and a peak over stages, such as memory in inference: their range, and what a limit rules out.

A path's value is the sum of its steps' `sums` and the largest of their `peaks`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search_spaces.counting.band import Band
from search_spaces.counting.trellis import Ints, Trellis


def peak_range(sums: Sequence[Ints], peaks: Sequence[Ints]) -> Band:
    """The lowest and the highest value of a path; tables are [in, out, option] for each stage."""
    everything = tuple(np.ones(table.shape, dtype=bool) for table in sums)
    # The highest value: some stage's peak counts, and no other one is larger.
    high = max(
        Trellis((*sums[:stage], sums[stage] + peaks[stage], *sums[stage + 1 :]), everything).range[1]
        for stage in range(len(sums))
    )
    low = high
    least = Trellis(tuple(sums), everything).range[0]
    # The lowest value: with steps up to some peak only, the least sum and that peak.
    for peak in np.unique(np.concatenate([table.reshape(-1) for table in peaks])).tolist():
        if least + peak >= low:
            break
        allowed = tuple(table <= peak for table in peaks)
        if all(part.any() for part in allowed):
            low = min(low, Trellis(tuple(sums), allowed).range[0] + peak)
    return low, high


def within_peak(
    sums: Sequence[Ints], peaks: Sequence[Ints], allowed: Sequence[NDArray[np.bool_]], band: Band
) -> tuple[tuple[NDArray[np.bool_], ...], Band]:
    """The steps that a path with a value in the band may take, and a band that holds the sum of such a path.

    Both hold some paths beyond those with a value in the band, and all of these.
    """
    least = Trellis(tuple(sums), tuple(allowed)).range[0]
    kept = tuple(part & (peak <= band[1] - least) for part, peak in zip(allowed, peaks, strict=True))
    # Every path has in each stage at least that stage's least peak, and nowhere more than the largest of all.
    lowest = max((int(peak[part].min()) for part, peak in zip(kept, peaks, strict=True) if part.any()), default=0)
    highest = max((int(peak[part].max()) for part, peak in zip(kept, peaks, strict=True) if part.any()), default=0)
    return kept, (max(0, band[0] - highest), band[1] - lowest)
