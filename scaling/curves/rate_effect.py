"""Whether curves with the recipe's learning rate for all networks would reach other verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaling.experiment.rates import ChosenRates


@dataclass(frozen=True)
class RateEffect:
    """The learning rates that count, and the verdicts with the recipe's rate for all networks.

    rates        the rate of each network
    verdict      of compound against the best single dimension; empty if they were not compared at the recipe's rate
    best_single  that dimension; empty for none
    verdicts     of compound against every other curve
    """

    rates: ChosenRates
    verdict: str
    best_single: str
    verdicts: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """JSON values, as curves.json holds them."""
        other = {"verdict": self.verdict, "best_single": self.best_single, "verdicts": dict(self.verdicts)}
        return {**self.rates.to_dict(), "with_recipe": other}

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> RateEffect:
        """What `to_dict` wrote. Raises KeyError, TypeError or AttributeError for anything else."""
        other = values["with_recipe"]
        verdicts = {curve: str(verdict) for curve, verdict in other["verdicts"].items()}
        return cls(ChosenRates.of_dict(values), str(other["verdict"]), str(other["best_single"]), verdicts)
