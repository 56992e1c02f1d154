"""A training run as segments, each followed by an evaluation, and the random numbers of each segment.

The random numbers of a segment depend only on the run's seed and the segment's place in the run. A run can therefore
resume at the start of any segment, and no state of a generator is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch


@dataclass(frozen=True)
class Segment:
    """Steps `first` <= step < `last` of a run of `total` steps: in its epoch, the batches from number `start` on."""

    epoch: int
    start: int
    first: int
    last: int
    total: int


def segments(steps_per_epoch: int, epochs: int, per_epoch: int) -> list[Segment]:
    """All segments of a run, `per_epoch` in each epoch, as even as whole steps allow (fewer where steps are fewer)."""
    cuts = sorted({round(steps_per_epoch * part / per_epoch) for part in range(per_epoch + 1)})
    total = steps_per_epoch * epochs
    return [
        Segment(epoch, start, epoch * steps_per_epoch + start, epoch * steps_per_epoch + end, total)
        for epoch in range(epochs)
        for start, end in pairwise(cuts)
    ]


def derive_seed(*numbers: int) -> int:
    """A seed made of several numbers. Similar numbers give unrelated seeds. 0 <= seed < 2^63."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """A context in which torch's global generators of the CPU and the device are seeded; restores their states."""
    gpus = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        # `torch.manual_seed` would seed all devices. Without a GPU it stores a stack trace for later, which takes
        # longer than the seeding. Every layer of a new network is seeded.
        torch.default_generator.manual_seed(seed)
        if gpus:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
