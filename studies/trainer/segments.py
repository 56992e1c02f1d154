"""A training run cut into segments, each ended by an evaluation, and the randomness of each of them.

A segment draws its random numbers from the run's seed and its own place alone, so a run can be taken up at any
segment's start without storing a generator's state.
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


def mix(*numbers: int) -> int:
    """A seed made of several numbers: another one for every tuple, and unlike its neighbours'."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Within, torch's global generators of the CPU and of the device are seeded; afterwards they are as before."""
    gpus = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        # `torch.manual_seed` would seed all devices, and where there is none it keeps a stack trace for later: a
        # millisecond, for every layer of a network.
        torch.default_generator.manual_seed(seed)
        if gpus:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
