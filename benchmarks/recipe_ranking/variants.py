"""The recipes that are compared: changes of a base recipe, at a peak learning rate each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from search_spaces.common.suggest import nearest
from studies.trainer.recipe import Recipe

# Peak learning rates on whose grid each network's own best one is found.
RATES = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
# Rates that every reference network is trained at first.
FIRST_RATES = (0.1, 0.03)
AS_IS = "as-is"


@dataclass(frozen=True)
class Variant:
    """Changes of a base recipe.

    zero_norm  whether the last norm of each residual branch starts at 0, so that a block starts as its shortcut
               (Goyal et al. 2017, arXiv 1706.02677, section 5.1)
    """

    changes: Mapping[str, Any] = field(default_factory=dict)
    zero_norm: bool = False


VARIANTS = {
    AS_IS: Variant(),
    "decay-5e-4": Variant({"weight_decay": 5e-4}),
    "decay-1e-4": Variant({"weight_decay": 1e-4}),
    "zero-norm": Variant(zero_norm=True),
    "clipped": Variant({"clip_norm": 1.0}),
    "long-warmup": Variant({"warmup": 0.6}),
    "batch-64": Variant({"batch_size": 64}),
    "batch-128": Variant({"batch_size": 128}),
    "adamw": Variant({"optimizer": "adamw", "weight_decay": 0.05}),
    "rmsprop": Variant({"optimizer": "rmsprop", "weight_decay": 1e-5}),
}


@dataclass(frozen=True)
class Candidate:
    """A variant at one peak learning rate; written as variant@rate."""

    variant: str
    lr: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """The candidate of a text such as zero-norm@0.03. Raises ValueError for another form or an unknown variant."""
        variant, _, rate = text.partition("@")
        if variant not in VARIANTS:
            raise ValueError(f"unknown variant '{variant}'{nearest(variant, VARIANTS)}")
        try:
            return cls(variant, float(rate))
        except ValueError:
            raise ValueError(f"a candidate is a variant and its rate, such as as-is@0.03, got {text}") from None

    def __str__(self) -> str:
        return f"{self.variant}@{self.lr:g}"

    def recipe(self, base: Recipe) -> Recipe:
        """The recipe that it makes of the base."""
        return base.replace(lr=self.lr, **VARIANTS[self.variant].changes)


def next_rate(accuracies: Mapping[float, float]) -> float | None:
    """The rate to try next, next to the best of those tried; None if its neighbours on the grid have been tried.

    accuracies  of neighbouring rates of the grid, by rate
    """
    best = RATES.index(max(accuracies, key=lambda rate: accuracies[rate]))
    beside = RATES[max(0, best - 1) : best + 2]
    return next((rate for rate in beside if rate not in accuracies), None)
