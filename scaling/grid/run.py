"""The trainings of a grid: all networks with the same seeds, then the choice with fresh seeds and the test images."""

from __future__ import annotations

from dataclasses import dataclass

from scaling.experiment.trainings import Experiment, ExperimentNetwork, accuracies, blocks, scores_on_test
from scaling.grid.analysis import GridAnalysis, analyse
from scaling.grid.plan import GridPlan
from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import PAPER
from search_spaces.resizing.matching import Solution
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
    """Plan, analysis and choice of a grid; `accuracies` are the grid's own, {network key: {seed: accuracy}}."""

    plan: GridPlan
    analysis: GridAnalysis
    choice: Choice
    accuracies: dict[str, dict[int, float]]


def run_grid(plan: GridPlan, experiment: Experiment) -> GridResult:
    """Train what is missing, and analyse. Raises ValueError if nothing was trained to its end."""
    config, grid = plan.config, plan.grid
    seeds = [config.seed + index for index in range(config.seeds)]
    members = [ExperimentNetwork(grid.baseline, "baseline", 1.0)]
    for network in grid.networks:
        label = str(network.coefficients)
        members.append(ExperimentNetwork(network.arch, label, config.growth, {"coefficients": label}))
    halving = REDUCTION_FACTOR if config.scheduler == "asha" else 0
    found = accuracies(experiment.train("grid", blocks(members, seeds), halving=halving))
    max_resolution = plan.baseline.pixels / grid.baseline.resolution
    analysis = analyse(grid, found, config.phi, max_resolution=max_resolution)
    paper = plan.paper(grid.target or analysis.best.network.macs)
    return GridResult(plan, analysis, _confirm(plan, experiment, analysis, paper), found)


def _confirm(plan: GridPlan, experiment: Experiment, analysis: GridAnalysis, paper: Solution) -> Choice:
    config, best = plan.config, analysis.best.network
    seeds = tuple(config.seed + FRESH_SEED_OFFSET + index for index in range(config.choice_seeds))
    members = [ExperimentNetwork(best.arch, f"choice {best.coefficients}", config.growth)]
    excess = plan.budget.excess(plan.budget.values(paper.arch))
    if paper.arch.key != best.arch.key and not excess:
        members.append(ExperimentNetwork(paper.arch, f"paper {PAPER}", config.growth))
    records = experiment.train("choice", blocks(members, seeds), keep_weights=True, test=True)
    scores, held_out = scores_on_test(records), accuracies(records)
    ours, papers = scores.get(best.arch.key, {}), scores.get(paper.arch.key, {})
    if not ours:
        raise ValueError("the chosen network was not trained to the end with any fresh seed: see choice-trials.csv")
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
