"""The conclusions of a grid, as values and as sentences: the command prints them and the report shows them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scaling.experiment.wording import ONE_SEED, PAPER_COEFFICIENTS, intervals, points, sentence
from scaling.grid.analysis import COEFFICIENTS, MIN_NETWORKS
from scaling.grid.networks import describe_points
from scaling.grid.rate_effect import RateEffect
from search_spaces.common.text import pluralise
from search_spaces.metrics.registry import METRICS
from search_spaces.resizing.compound import Coefficients
from studies.statistics.comparisons import Contrast
from studies.statistics.intervals import Estimate

if TYPE_CHECKING:
    from scaling.grid.run import GridResult

# The key of the learning rates in coefficients.json, which only --lr-per-network writes.
RATES = "learning_rates"


@dataclass(frozen=True)
class FittedLaw:
    """alpha, beta, gamma at a law's optimum (None if out of reach), and mean absolute errors on larger networks."""

    optimum: Mapping[str, Estimate] | None
    heldout_error: float
    loglinear_error: float


@dataclass(frozen=True)
class Confirmation:
    """The choice retrained with fresh seeds.

    seeds             number of fresh seeds
    validation, test  its accuracy
    paper_test        accuracy of the network of the paper's coefficients; None if it was not trained
    paper_excess      the limit that the paper's network exceeds; empty if it exceeds none
    is_papers         whether the paper's coefficients give the same network
    against_paper     choice minus the paper's network on the test images; None if they were not compared
    """

    seeds: int
    validation: Estimate
    test: Estimate
    paper_test: Estimate | None
    paper_excess: str
    is_papers: bool
    against_paper: Contrast | None


@dataclass(frozen=True)
class GridConclusions:
    """What a grid found and how sure that is.

    coefficients  the best network's, and as `realised` after rounding
    growth        factor on the baseline's cost
    points, networks, left_out, target  see `GridNetworks`; `networks` is their number
    trained       number of networks with an accuracy, of which `equal` are not significantly different from the best
    ranges        lowest and highest coefficients of those
    rates         learning rates and their effect; None without --lr-per-network
    """

    coefficients: Coefficients
    realised: tuple[float, float, float]
    growth: float
    points: int
    networks: int
    left_out: Mapping[str, int]
    target: int | None
    trained: int
    equal: int
    ranges: Mapping[str, tuple[float, float]]
    law: FittedLaw | None
    choice: Confirmation
    rates: RateEffect | None = None

    @classmethod
    def of(cls, result: GridResult) -> GridConclusions:
        """The conclusions of a grid that was just trained."""
        grid, analysis, choice, phi = result.plan.grid, result.analysis, result.choice, result.plan.config.phi
        best, law = analysis.best.network, analysis.law
        return cls(
            coefficients=best.coefficients,
            realised=best.realised_coefficients(phi),
            growth=result.plan.config.growth,
            points=grid.points,
            networks=len(grid.networks),
            left_out=dict(grid.left_out),
            target=grid.target,
            trained=len(analysis.ranking),
            equal=len(analysis.equals),
            ranges=analysis.ranges(),
            law=None
            if law is None
            else FittedLaw(analysis.optimal_coefficients(), law.heldout_error, law.loglinear_error),
            choice=Confirmation(
                len(choice.seeds),
                choice.validation,
                choice.test,
                choice.paper_test,
                choice.paper_excess,
                choice.paper.arch.key == choice.arch.key,
                choice.contrast,
            ),
            rates=RateEffect.of(result),
        )

    @classmethod
    def of_file(cls, values: Mapping[str, Any]) -> GridConclusions:
        """The conclusions in a grid's coefficients.json. Raises ValueError if one is missing or of another type."""
        try:
            return cls(
                coefficients=Coefficients(*(values["coefficients"][name] for name in COEFFICIENTS)),
                realised=_triple(values["realised"]),
                growth=2.0 ** values["phi"],
                **{name: values["grid"][name] for name in ("points", "networks", "left_out")},
                target=values["grid"]["target_macs"],
                trained=len(values["networks"]),
                equal=sum(one["indistinguishable_from_best"] for one in values["networks"]),
                ranges={name: (low, high) for name, (low, high) in values["range_of_indistinguishable"].items()},
                law=_law(values["law"]),
                choice=_confirmation(values["choice"]),
                rates=RateEffect.of_dict(values[RATES]) if RATES in values else None,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"a conclusion is missing or broken ({type(error).__name__}: {error})") from None

    def describe_coefficients(self) -> str:
        """The coefficients, nominal and realised, and their product."""
        realised = "/".join(f"{value:.3g}" for value in self.realised)
        return (
            f"alpha/beta/gamma {self.coefficients} (nominal; realised {realised}), "
            f"alpha * beta^2 * gamma^2 = {self.coefficients.product:.3f}"
        )

    def describe_points(self) -> str:
        """What became of the grid's points."""
        return sentence(describe_points(self.points, self.networks, self.left_out))

    def describe_cost(self) -> str:
        """What cost the networks were matched to."""
        return describe_cost(self.target, self.growth)

    def describe_equals(self) -> str:
        """How many networks are as good as the best, and the range of their coefficients."""
        ranges = ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in self.ranges.items())
        return (
            f"{self.equal} of {pluralise(self.trained, 'network')} are not significantly different from the best, "
            f"itself included (multiple comparisons with the best, 95 %). Their range: {ranges}."
        )

    def describe_rates(self) -> str:
        """The networks' learning rates, and whether the recipe's would give another result; empty without them."""
        return self.rates.describe(self.coefficients, self.equal) if self.rates else ""

    def describe_law(self) -> str:
        """The fitted law's optimum and how well the law predicts."""
        if self.law is None or self.law.optimum is None:
            return f"No law was fitted: fewer than {MIN_NETWORKS} networks, or a network with 0 % accuracy."
        return (
            f"The fitted law has its optimum at {intervals(self.law.optimum)}. It predicts larger networks to "
            f"{points(self.law.heldout_error)} (log-linear baseline: {points(self.law.loglinear_error)})."
        )

    def describe_choice(self) -> str:
        """The accuracy of the retrained choice."""
        choice = self.choice
        return (
            f"Retrained with {pluralise(choice.seeds, 'fresh seed')}, the choice has {choice.validation.percent} on "
            f"validation images and {choice.test.percent} on test images, which were used once."
        )

    def compare_with_paper(self) -> str:
        """The choice against the paper's coefficients."""
        choice = self.choice
        if choice.is_papers:
            return sentence(f"{PAPER_COEFFICIENTS} give the same network")
        if choice.paper_excess:
            return f"The choice was not compared with {PAPER_COEFFICIENTS}: their network is {choice.paper_excess}."
        if choice.against_paper is None or choice.paper_test is None:
            return f"The choice was not compared with {PAPER_COEFFICIENTS}."
        second = f"{PAPER_COEFFICIENTS} ({choice.paper_test.percent})"
        return f"On test images, {choice.against_paper.sentence('the choice', second)}."

    def warnings(self, seeds: int) -> list[str]:
        """What a reader must know before using the coefficients; `seeds` is the number of seeds per network."""
        lines = []
        if seeds < 2:
            lines.append(ONE_SEED)
        if self.equal == self.trained:
            lines.append(
                "no network is significantly different from the best; more --seeds, --epochs or --images would help"
            )
        if self.choice.against_paper and self.choice.against_paper.warning:
            lines.append(f"{self.choice.against_paper.warning} (--choice-seeds)")
        return lines


def describe_cost(target: int | None, growth: float) -> str:
    """What cost a grid's networks are matched to: multiply-adds, or None for networks taken as they round."""
    if target is None:
        return "The networks are taken as their points round (--raw): larger ones have an advantage."
    cost = METRICS["macs"].describe(target)
    return (
        f"All networks are matched to {cost}, {growth:g} times the baseline's; the analysis corrects for remaining "
        "differences."
    )


def _law(values: Mapping[str, Any] | None) -> FittedLaw | None:
    if values is None:
        return None
    optimum = values["optimum"]
    errors = (math.nan if values[name] is None else values[name] for name in ("heldout_error", "loglinear_error"))
    return FittedLaw(optimum and {name: Estimate.of_dict(optimum[name]) for name in COEFFICIENTS}, *errors)


def _confirmation(values: Mapping[str, Any]) -> Confirmation:
    paper, contrast = values["paper_test_accuracy"], values["against_paper"]
    return Confirmation(
        seeds=len(values["seeds"]),
        validation=Estimate.of_dict(values["validation_accuracy"]),
        test=Estimate.of_dict(values["test_accuracy"]),
        paper_test=paper and Estimate.of_dict(paper),
        paper_excess=values["paper_excess"],
        is_papers=values["key"] == values["paper_key"],
        against_paper=contrast and Contrast.of_dict(contrast),
    )


def _triple(values: Mapping[str, float]) -> tuple[float, float, float]:
    alpha, beta, gamma = (values[name] for name in COEFFICIENTS)
    return alpha, beta, gamma
