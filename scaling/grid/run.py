"""The two phases of a grid: all networks with the same seeds, then the choice with fresh seeds and the test images."""

from __future__ import annotations

from dataclasses import dataclass

from scaling.experiment.trainings import Experiment, ExperimentNetwork, accuracies, blocks, scores_on_test
from scaling.grid.analysis import GridAnalysis, analyse
from scaling.grid.plan import GridPlan
from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import PAPER
from search_spaces.resizing.matching import Solution, solve
from search_spaces.resizing.strategy import NAMED
from studies.statistics.comparisons import Contrast, compare
from studies.statistics.intervals import Estimate, mean_interval

# Far from the seeds of the grid itself.
FRESH = 1000
HALVING = 2


@dataclass(frozen=True)
class Choice:
    """The chosen network trained again with fresh seeds, and the paper's coefficients beside it.

    validation, test  accuracy of the choice over its fresh seeds; the test images are looked at this once
    contrast          choice against the paper's network on the test images; None where they are the same network,
                      or there is one seed only
    """

    arch: Arch
    paper: Solution
    seeds: tuple[int, ...]
    validation: Estimate
    test: Estimate
    paper_test: Estimate | None
    contrast: Contrast | None


@dataclass(frozen=True)
class GridResult:
    """Plan, answer and confirmation of a grid; `accuracies` are the grid's own, {network key: {seed: accuracy}}."""

    plan: GridPlan
    answer: GridAnalysis
    choice: Choice
    accuracies: dict[str, dict[int, float]]


def carry_out(plan: GridPlan, experiment: Experiment) -> GridResult:
    """Train what is missing, and conclude. Raises ValueError where nothing was trained to its end."""
    config, grid = plan.config, plan.grid
    seeds = [config.seed + index for index in range(config.seeds)]
    base = cost(grid.baseline).macs
    members = [
        ExperimentNetwork(one.arch, str(one.coefficients), config.growth, {"coefficients": str(one.coefficients)})
        for one in grid.networks
    ]
    members.insert(0, ExperimentNetwork(grid.baseline, "baseline", 1.0))
    halving = HALVING if config.scheduler == "asha" else 0
    records = experiment.train("grid", blocks(members, seeds), halving=halving)
    found = accuracies(records)
    largest = plan.baseline.pixels / grid.baseline.resolution
    answer = analyse(grid, found, config.phi, max_resolution=largest)
    target = grid.target or answer.best.candidate.macs
    paper = solve(grid.baseline, NAMED["compound"], max(target, base + 1), rounding=plan.rounding)
    return GridResult(plan, answer, _confirm(plan, experiment, answer, paper), found)


def _confirm(plan: GridPlan, experiment: Experiment, answer: GridAnalysis, paper: Solution) -> Choice:
    config, best = plan.config, answer.best.candidate
    seeds = tuple(config.seed + FRESH + index for index in range(config.choice_seeds))
    members = [ExperimentNetwork(best.arch, f"choice {best.coefficients}", config.growth)]
    if paper.arch.key != best.arch.key:
        members.append(ExperimentNetwork(paper.arch, f"paper {PAPER}", config.growth))
    records = experiment.train("choice", blocks(members, seeds), keep_weights=True, test=True)
    scores, held_out = scores_on_test(records), accuracies(records)
    mine, theirs = scores.get(best.arch.key, {}), scores.get(paper.arch.key, {})
    if not mine:
        raise ValueError("the chosen network was not trained to the end with any fresh seed: see choice-trials.csv")
    both = sorted(mine.keys() & theirs.keys())
    differs = paper.arch.key != best.arch.key and len(both) > 1
    return Choice(
        arch=best.arch,
        paper=paper,
        seeds=tuple(sorted(mine)),
        validation=mean_interval(list(held_out[best.arch.key].values())),
        test=mean_interval(list(mine.values())),
        paper_test=mean_interval(list(theirs.values())) if theirs else None,
        contrast=compare([mine[seed] for seed in both], [theirs[seed] for seed in both]) if differs else None,
    )
