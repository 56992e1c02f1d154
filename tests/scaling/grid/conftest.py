"""A grid whose accuracies are made up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from scaling.grid.analysis import analyse
from scaling.grid.config import GridConfig
from scaling.grid.plan import GridPlan, prepare
from scaling.grid.run import Choice, GridResult
from search_spaces.resizing.matching import solve
from search_spaces.resizing.strategy import COMPOUND
from studies.statistics.comparisons import compare
from studies.statistics.intervals import mean_interval
from studies.workers.config import WorkersConfig

MakeResult = Callable[..., GridResult]


@pytest.fixture(scope="session")
def plan() -> GridPlan:
    return prepare(GridConfig(step=0.05, allow_small=True, seeds=2, workers=WorkersConfig(1)))


@pytest.fixture(scope="session")
def make_result() -> MakeResult:
    """A function that makes the result of a plan; the choice beats the paper's network by four points."""
    return result


def result(plan: GridPlan, seeds: int, *, with_paper: bool = True) -> GridResult:
    rng, networks = np.random.default_rng(9), plan.grid.networks
    keys = [plan.grid.baseline.key, *(one.arch.key for one in networks)]
    accuracies = {key: dict(enumerate(rng.normal(0.8, 0.01, seeds).tolist())) for key in keys}
    analysis = analyse(plan.grid, accuracies, 1.0, max_resolution=28 / plan.grid.baseline.resolution)
    paper = solve(plan.grid.baseline, COMPOUND, plan.grid.target or 1, rounding=plan.rounding)
    ours, papers = [0.84, 0.85, 0.843][:seeds], [0.80, 0.81, 0.802][:seeds]
    choice = Choice(
        arch=analysis.best.network.arch,
        paper=paper,
        seeds=tuple(range(1000, 1000 + seeds)),
        validation=mean_interval(ours),
        test=mean_interval(ours),
        paper_excess="",
        paper_test=mean_interval(papers) if with_paper else None,
        contrast=compare(ours, papers) if with_paper and seeds > 1 else None,
    )
    return GridResult(plan, analysis, choice, accuracies)
