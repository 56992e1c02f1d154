"""The conclusions of a grid: read back as they were written, and warnings only where they hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scaling.grid.analysis import analyse
from scaling.grid.conclusions import GridConclusions
from scaling.grid.files import found
from scaling.grid.plan import GridPlan
from scaling.grid.run import GridResult

MakeResult = Callable[..., GridResult]


def values_of(result: GridResult) -> dict[str, Any]:
    values = json.loads(found(result).to_json())
    assert isinstance(values, dict)
    return values


@pytest.mark.parametrize(("seeds", "with_paper"), [(2, True), (3, True), (1, False)])
def test_the_file_gives_the_conclusions_back(
    plan: GridPlan, make_result: MakeResult, seeds: int, with_paper: bool
) -> None:
    result = make_result(plan, seeds, with_paper=with_paper)
    conclusions, again = GridConclusions.of(result), GridConclusions.of_file(values_of(result))
    assert again.coefficients == result.analysis.best.network.coefficients
    assert replace(again, choice=conclusions.choice) == conclusions
    ours, theirs = again.choice, conclusions.choice
    assert (ours.seeds, ours.test, ours.paper_test) == (seeds, theirs.test, theirs.paper_test)
    assert (ours.against_paper is None) == (theirs.against_paper is None) == (not with_paper)
    if ours.against_paper and theirs.against_paper:
        assert ours.against_paper.difference == theirs.against_paper.difference
        assert ours.against_paper.verdict == theirs.against_paper.verdict == "better"


def test_counts_of_two_networks_far_ahead(plan: GridPlan, make_result: MakeResult) -> None:
    """The lattice has 111 points (test_lattice.py) and twice the 1,036,844 multiply-adds of the baseline as its target.

    Two networks lead by 20 points, at a standard deviation of 0.2.
    """
    rng, keys = np.random.default_rng(0), [one.arch.key for one in plan.grid.networks]
    means = {plan.grid.baseline.key: 0.5} | dict.fromkeys(keys, 0.6) | dict.fromkeys(keys[:2], 0.8)
    accuracies = {key: dict(enumerate(rng.normal(mean, 0.002, 2).tolist())) for key, mean in means.items()}
    analysis = analyse(plan.grid, accuracies, 1.0, max_resolution=28 / 16)
    conclusions = GridConclusions.of(replace(make_result(plan, 2), analysis=analysis))
    assert (conclusions.points, conclusions.networks, conclusions.trained, conclusions.equal) == (111, 26, 26, 2)
    assert conclusions.target == 2 * 1_036_844


def test_warnings_are_for_few_seeds_and_for_no_differences(plan: GridPlan, make_result: MakeResult) -> None:
    conclusions = GridConclusions.of(make_result(plan, 2))
    assert conclusions.equal == conclusions.trained
    assert len(conclusions.warnings(1)) == len(conclusions.warnings(2)) + 1 == 3
    assert len(replace(conclusions, equal=1).warnings(2)) == 1
    unconfirmed = replace(conclusions, equal=1, choice=replace(conclusions.choice, against_paper=None))
    assert unconfirmed.warnings(2) == []


@pytest.mark.parametrize("lost", ["realised", "phi", "grid", "range_of_indistinguishable", "law", "choice", "networks"])
def test_a_file_without_a_conclusion_is_refused(plan: GridPlan, make_result: MakeResult, lost: str) -> None:
    values = values_of(make_result(plan, 2))
    for broken in ({key: value for key, value in values.items() if key != lost}, values | {lost: "?"}):
        with pytest.raises(ValueError):  # noqa: PT011 (any line will do)
            GridConclusions.of_file(broken)
