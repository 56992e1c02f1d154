"""Whether a grid with the recipe's learning rate for all networks would find other coefficients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scaling.experiment.rates import ChosenRates
from scaling.experiment.wording import PAPER_COEFFICIENTS
from scaling.grid.analysis import COEFFICIENTS
from search_spaces.common.text import pluralise
from search_spaces.resizing.compound import Coefficients

if TYPE_CHECKING:
    from scaling.grid.run import GridResult


@dataclass(frozen=True)
class RateEffect:
    """The learning rates that count, and what the recipe's rate for all networks would give.

    rates         the rate of each network
    choice        rate at which the choice was trained again
    paper         rate of the network of the paper's coefficients; None if it was not trained beside the choice
    coefficients  the best network's with the recipe's rate for all; None if none was trained to its end at that rate
    equal         number of networks that are then not significantly different from the best
    shared        how many of these are not significantly different from the best at their own rates either
    """

    rates: ChosenRates
    choice: float
    paper: float | None
    coefficients: Coefficients | None
    equal: int
    shared: int

    @classmethod
    def of(cls, result: GridResult) -> RateEffect | None:
        """The effect in a grid that was just trained; None without --lr-per-network."""
        rates, other, choice = result.rates, result.with_recipe, result.choice
        if rates is None:
            return None
        ours = {one.network.arch.key for one in result.analysis.equals}
        then = {one.network.arch.key for one in other.equals} if other else set()
        return cls(
            rates=rates,
            choice=rates.rate(choice.arch.key),
            paper=rates.rate(choice.paper.arch.key) if choice.paper_test else None,
            coefficients=other.best.network.coefficients if other else None,
            equal=len(then),
            shared=len(ours & then),
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON values, as coefficients.json holds them."""
        found = self.coefficients
        return {
            **self.rates.to_dict(),
            "choice": self.choice,
            "paper": self.paper,
            "with_recipe": found
            and {
                "coefficients": {name: getattr(found, name) for name in COEFFICIENTS},
                "indistinguishable_from_best": self.equal,
                "shared": self.shared,
            },
        }

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> RateEffect:
        """What `to_dict` wrote. Raises KeyError, TypeError or AttributeError for anything else."""
        other = values["with_recipe"]
        return cls(
            rates=ChosenRates.of_dict(values),
            choice=1.0 * values["choice"],
            paper=values["paper"] and 1.0 * values["paper"],
            coefficients=other and Coefficients(*(other["coefficients"][name] for name in COEFFICIENTS)),
            equal=other["indistinguishable_from_best"] if other else 0,
            shared=other["shared"] if other else 0,
        )

    def describe(self, coefficients: Coefficients, equal: int) -> str:
        """The rates, and whether they decide the result.

        Args:
            coefficients: the best network's, with the networks at their own rates
            equal: number of networks that are then not significantly different from the best

        """
        beside = "" if self.paper is None else f", the network of {PAPER_COEFFICIENTS} at {self.paper:g}"
        return (
            f"{self.rates.describe()} As the best of {len(self.rates.factors)}, the accuracies on these images are "
            f"slightly too high. {self._compare(coefficients, equal)} The choice was trained again at "
            f"{self.choice:g}{beside}."
        )

    def _compare(self, coefficients: Coefficients, equal: int) -> str:
        start = f"With the recipe's {self.rates.lr:g} for all networks"
        if self.coefficients is None:
            return f"{start} there would be no coefficients: none was trained to the end."
        same = self.coefficients == coefficients
        found = f"the same, {coefficients}" if same else f"{self.coefficients} in place of {coefficients}"
        overlap = f"{self.shared} of them are also among the {equal}" if self.shared else f"none is among the {equal}"
        return (
            f"{start}, the best coefficients would be {found}, and {pluralise(self.equal, 'network')} would not be "
            f"significantly different from the best: {overlap} at their own rates."
        )
