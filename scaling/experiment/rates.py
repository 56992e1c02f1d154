"""Peak learning rates: each network is trained at several, and its best by one rule for all counts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search_spaces.common.checks import check_different
from search_spaces.common.text import pluralise

OWN = 1.0
"""The factor of the recipe's own rate."""
DEFAULT_FACTORS = (1.0, 0.3, 0.1)
# Digits of a rate: 0.1 times 0.1 is to be 0.01.
DIGITS = 10

Accuracies = Mapping[str, Mapping[int, float]]
"""Validation accuracy by network key and seed."""


@dataclass(frozen=True)
class ChosenRates:
    """The peak learning rate that counts for each network.

    lr       the recipe's
    factors  on it, the recipe's own first
    chosen   the best of them by network key
    """

    lr: float
    factors: tuple[float, ...]
    chosen: Mapping[str, float]

    def rate(self, key: str) -> float:
        """The peak learning rate that counts for a network; the recipe's for one that was never compared."""
        return peak(self.lr, self.chosen.get(key, OWN))

    @property
    def counts(self) -> dict[float, int]:
        """How many networks each rate is the best for, in the order of the factors."""
        found = Counter(self.chosen.values())
        return {peak(self.lr, factor): found[factor] for factor in self.factors}

    def describe(self) -> str:
        """The rule, and how many networks have which rate."""
        rates = ", ".join(f"{rate:g} for {pluralise(count, 'network')}" for rate, count in self.counts.items())
        return (
            f"Every network, the baseline included, counts at its own best peak learning rate: {rates}. The best has "
            "the highest mean accuracy over the seeds on validation images, the only images used for this selection; "
            f"the recipe's {self.lr:g} wins ties."
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {"recipe": self.lr, "factors": list(self.factors), "chosen": dict(self.chosen)}

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> ChosenRates:
        """What `to_dict` wrote. Raises KeyError, TypeError or AttributeError for anything else."""
        chosen = {key: 1.0 * factor for key, factor in values["chosen"].items()}
        return cls(1.0 * values["recipe"], tuple(1.0 * factor for factor in values["factors"]), chosen)


def check_factors(factors: Sequence[float]) -> None:
    """Raise ValueError for factors that leave nothing to compare or that leave out the recipe's own rate."""
    given = [f"{factor:g}" for factor in factors]
    if not all(0 < factor < math.inf for factor in factors):
        raise ValueError(f"--lr-factors must be greater than 0, got {' '.join(given)}")
    check_different("lr_factors", given)
    if OWN not in factors or len(factors) < 2:
        raise ValueError(
            f"--lr-factors must have 1, for the recipe's own rate, and another factor, got {' '.join(given) or 'none'}"
        )


def peak(lr: float, factor: float) -> float:
    """The peak learning rate at a factor on the recipe's."""
    return float(f"{lr * factor:.{DIGITS}g}")


def phase_at(phase: str, factor: float) -> str:
    """The phase of trainings at a factor on the recipe's rate: "grid" and, for example, "grid-lr0.3"."""
    return phase if factor == OWN else f"{phase}-lr{factor:g}"


def phases_at(phase: str, factors: Sequence[float]) -> list[str]:
    """The phases of trainings at several factors."""
    return [phase_at(phase, factor) for factor in factors]


def best_factors(found: Mapping[float, Accuracies]) -> dict[str, float]:
    """The factor that counts for each network, from the accuracies by factor.

    It has the highest mean accuracy. A factor at which fewer seeds were trained to the end than at another is behind
    it, because a mean over the seeds that survived would favour unstable trainings. The recipe's own rate wins ties;
    among others the first does.
    """
    keys = dict.fromkeys(key for accuracies in found.values() for key in accuracies)
    order = sorted(found, key=lambda factor: factor != OWN)
    return {key: max(order, key=lambda factor: _standing(found[factor].get(key, {}))) for key in keys}


def _standing(accuracies: Mapping[int, float]) -> tuple[int, float]:
    count = len(accuracies)
    # The exact sum: equal accuracies in another order are a tie.
    return count, math.fsum(accuracies.values()) / count if count else 0.0
