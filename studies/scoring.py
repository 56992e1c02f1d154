"""How well a network does on a split: top-1, top-5, loss."""

from __future__ import annotations

from dataclasses import dataclass

TOP = 5


@dataclass(frozen=True)
class Score:
    """Shares (0 to 1) of images whose class is the first, or among the first five; mean cross-entropy in nats.

    With five classes or fewer every class is among the first five: `top5` is 1.
    """

    top1: float
    top5: float
    loss: float
