"""The trainings of a grid: all networks with the same seeds, then the choice with fresh seeds and the test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scaling.experiment.rates import OWN, ChosenRates, phase_at
from scaling.experiment.trainings import (
    Experiment,
    ExperimentNetwork,
    accuracies,
    blocks,
    scores_on_test,
    train_at_rates,
)
from scaling.grid.analysis import GridAnalysis, analyse
from scaling.grid.plan import GridPlan
from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import PAPER
from search_spaces.resizing.matching import Solution
from studies.ledger.trial import Record
from studies.statistics.comparisons import Contrast, compare
from studies.statistics.intervals import Estimate, mean_interval

# Far from the seeds of the grid itself.
FRESH_SEED_OFFSET = 1000
REDUCTION_FACTOR = 2


@dataclass(frozen=True)
class Choice:
    """The chosen network trained again with fresh seeds, and the paper's coefficients beside it.

    validation, test  accuracy of the choice over its fresh seeds; the test images are used this once
    paper_excess      the limit that the paper's network exceeds, such as "over 5M parameters": then it is not trained
    contrast          choice against the paper's network on the test images; None if they are the same network, if the
                      paper's was not trained, or for a single seed
    """

    arch: Arch
    paper: Solution
    seeds: tuple[int, ...]
    validation: Estimate
    test: Estimate
    paper_test: Estimate | None
    paper_excess: str
    contrast: Contrast | None


@dataclass(frozen=True)
class GridResult:
    """Plan, analysis and choice of a grid.

    accuracies   the grid's own, {network key: {seed: accuracy}}, each network's at the learning rate that counts for it
    rates        these learning rates, the paper's network included; None without --lr-per-network
    with_recipe  the analysis with the recipe's learning rate for all networks; None without --lr-per-network, or if no
                 network was trained to its end at that rate
    """

    plan: GridPlan
    analysis: GridAnalysis
    choice: Choice
    accuracies: dict[str, dict[int, float]]
    rates: ChosenRates | None = None
    with_recipe: GridAnalysis | None = None


def run_grid(plan: GridPlan, experiment: Experiment) -> GridResult:
    """Train what is missing, and analyse. Raises ValueError if nothing was trained to its end."""
    config, grid = plan.config, plan.grid
    seeds = grid_seeds(plan)
    members = [ExperimentNetwork(grid.baseline, "baseline", 1.0)]
    for network in grid.networks:
        label = str(network.coefficients)
        members.append(ExperimentNetwork(network.arch, label, config.growth, {"coefficients": label}))
    halving = REDUCTION_FACTOR if config.scheduler == "asha" else 0
    trained = train_at_rates(experiment, "grid", blocks(members, seeds), halving=halving)
    found = accuracies(trained.best)
    analysis = _analysis(plan, found)
    paper = plan.paper(grid.target or analysis.best.network.macs)
    rates = _with_paper(plan, experiment, trained.rates, paper)
    choice = _confirm(plan, experiment, analysis, paper, rates)
    if not config.lr_per_network:
        return GridResult(plan, analysis, choice, found)
    at_recipe = accuracies(trained.records[OWN])
    comparable = any(network.arch.key in at_recipe for network in grid.networks)
    return GridResult(plan, analysis, choice, found, rates, _analysis(plan, at_recipe) if comparable else None)


def grid_seeds(plan: GridPlan) -> list[int]:
    """The seeds of every network of the grid."""
    return [plan.config.seed + index for index in range(plan.config.seeds)]


def _analysis(plan: GridPlan, found: dict[str, dict[int, float]]) -> GridAnalysis:
    max_resolution = plan.baseline.pixels / plan.grid.baseline.resolution
    return analyse(plan.grid, found, plan.config.phi, max_resolution=max_resolution)


def _with_paper(plan: GridPlan, experiment: Experiment, rates: ChosenRates, paper: Solution) -> ChosenRates:
    """The rates with that of the paper's network, which is trained for it unless it is on the grid."""
    if not plan.trains_rates_of(paper):
        return rates
    members = [ExperimentNetwork(paper.arch, f"paper {PAPER}", plan.config.growth)]
    own = train_at_rates(experiment, "paper", blocks(members, grid_seeds(plan))).rates
    return replace(rates, chosen={**rates.chosen, **own.chosen})


def _confirm(
    plan: GridPlan, experiment: Experiment, analysis: GridAnalysis, paper: Solution, rates: ChosenRates
) -> Choice:
    config, best = plan.config, analysis.best.network
    seeds = tuple(config.seed + FRESH_SEED_OFFSET + index for index in range(config.choice_seeds))
    members = [ExperimentNetwork(best.arch, f"choice {best.coefficients}", config.growth)]
    excess = plan.budget.excess(plan.budget.values(paper.arch))
    if paper.arch.key != best.arch.key and not excess:
        members.append(ExperimentNetwork(paper.arch, f"paper {PAPER}", config.growth))
    records = _train_choice(experiment, members, seeds, rates)
    scores, held_out = scores_on_test(records), accuracies(records)
    ours, papers = scores.get(best.arch.key, {}), scores.get(paper.arch.key, {})
    if not ours:
        phase = phase_at("choice", rates.chosen.get(best.arch.key, OWN))
        raise ValueError(f"the chosen network was not trained to the end with any fresh seed: see {phase}-trials.csv")
    both = sorted(ours.keys() & papers.keys())
    differs = paper.arch.key != best.arch.key and len(both) > 1
    return Choice(
        arch=best.arch,
        paper=paper,
        seeds=tuple(sorted(ours)),
        validation=mean_interval(list(held_out[best.arch.key].values())),
        test=mean_interval(list(ours.values())),
        paper_test=mean_interval(list(papers.values())) if papers else None,
        paper_excess=excess,
        contrast=compare([ours[seed] for seed in both], [papers[seed] for seed in both]) if differs else None,
    )


def _train_choice(
    experiment: Experiment, members: Sequence[ExperimentNetwork], seeds: Sequence[int], rates: ChosenRates
) -> list[Record]:
    """Train each network at the learning rate that counts for it and score it on the test images."""
    records: list[Record] = []
    for factor in rates.factors:
        ours = [member for member in members if rates.chosen.get(member.arch.key, OWN) == factor]
        if ours:
            at_rate = experiment.at(factor)
            records += at_rate.train("choice", blocks(ours, seeds), keep_weights=True, test=True)
    return records
