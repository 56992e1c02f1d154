"""What a grid says, as text and as files, of an outcome that is made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from scaling.coefficients_file import read
from scaling.grid.analysis import analyse
from scaling.grid.config import GridConfig
from scaling.grid.files import found, write_files
from scaling.grid.plan import GridPlan, prepare
from scaling.grid.report import describe_plan, report
from scaling.grid.run import Choice, GridResult
from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import PAPER
from search_spaces.resizing.matching import solve
from search_spaces.resizing.rounding import Rounding
from search_spaces.resizing.strategy import NAMED
from studies.runs.folder import RunFolder
from studies.statistics.comparisons import compare
from studies.statistics.intervals import mean_interval


@pytest.fixture(scope="module")
def plan() -> GridPlan:
    return prepare(GridConfig(step=0.05, allow_small=True, seeds=2, workers=1))


def outcome(plan: GridPlan, seeds: int, *, with_paper: bool = True) -> GridResult:
    """As if trained; the choice beats the paper's network by four points."""
    rng, networks = np.random.default_rng(9), plan.grid.networks
    own = [plan.grid.baseline.key, *(one.arch.key for one in networks)]
    accuracies = {key: dict(enumerate(rng.normal(0.8, 0.01, seeds).tolist())) for key in own}
    answer = analyse(plan.grid, accuracies, 1.0, max_resolution=28 / plan.grid.baseline.resolution)
    best = answer.best.candidate.arch
    paper = solve(plan.grid.baseline, NAMED["compound"], plan.grid.target or 1, rounding=plan.rounding)
    mine, theirs = [0.84, 0.85, 0.843][:seeds], [0.80, 0.81, 0.802][:seeds]
    choice = Choice(
        best, paper, tuple(range(1000, 1000 + seeds)), mean_interval(mine), mean_interval(mine),
        mean_interval(theirs) if with_paper else None,
        compare(mine, theirs) if with_paper and seeds > 1 else None,
    )  # fmt: skip
    return GridResult(plan, answer, choice, accuracies)


def test_the_report_says_what_was_found_and_how_sure_it_is(plan: GridPlan, tmp_path: Path) -> None:
    result = outcome(plan, 2)
    text = report(result, tmp_path)
    assert f"python -m reports.build {tmp_path}" in text
    rule = result.answer.best.candidate.coefficients
    assert text.startswith(f"alpha/beta/gamma for fashion-mnist-mini: {rule} (nominal; realised ")
    assert f"alpha * beta^2 * gamma^2 = {rule.product:.3f}" in text
    assert f"of {len(result.answer.standings)} networks cannot be told from the best" in text
    assert f"the choice beats {PAPER} (80.5" in text
    assert "only 2 seeds" in text
    assert "The family that these coefficients give" in text
    assert str(tmp_path / "coefficients.json") in text
    assert "warning: one seed" not in text


def test_the_report_of_one_seed_warns(plan: GridPlan, tmp_path: Path) -> None:
    config = GridConfig(step=0.05, allow_small=True, seeds=1, workers=1)
    text = report(outcome(GridPlan(config, plan.baseline, plan.grid, plan.rounding, None), 1), tmp_path)
    assert "warning: one seed a network gives no intervals; use --seeds 3 or more" in text
    assert "warning: no network can be told from the best" in text


def test_networks_that_failed_are_counted(plan: GridPlan, tmp_path: Path) -> None:
    result = outcome(plan, 2)
    lost = plan.grid.networks[0].arch.key
    kept = {key: values for key, values in result.accuracies.items() if key != lost}
    text = report(GridResult(plan, result.answer, result.choice, kept), tmp_path)
    assert "warning: not trained to the end with any seed: 1 network, see grid-trials.csv" in text


def test_a_paper_network_beyond_the_images_is_told(plan: GridPlan, tmp_path: Path) -> None:
    words = "sees more pixels than the images' own 28"
    assert words not in report(outcome(plan, 2), tmp_path)
    # Without growth in resolution the proxy has the images' own; the paper's coefficients go beyond.
    narrow = prepare(GridConfig(baseline="mobilenet_v2", gamma=(1.0, 1.0), allow_small=True, workers=1))
    assert words in report(outcome(narrow, 2), tmp_path)


def test_the_files_are_plain_json_and_csv_even_with_one_seed(plan: GridPlan, tmp_path: Path) -> None:
    result = outcome(plan, 1, with_paper=False)
    with RunFolder.open(tmp_path / "run", {}) as run:
        write_files(result, run)

    def refuse(name: str) -> NoReturn:
        raise AssertionError(f"{name} is no JSON")

    values = json.loads((tmp_path / "run" / "coefficients.json").read_text(), parse_constant=refuse)
    best = result.answer.best
    assert values["networks"][0]["accuracy"] == {"value": best.mean.value, "low": None, "high": None, "n": 1}
    assert values["grid"]["networks"] == len(plan.grid.networks)
    assert values["choice"]["verdict"] is None
    again = read(tmp_path / "run" / "coefficients.json")
    assert again.coefficients == best.candidate.coefficients == found(result).coefficients
    assert again.baseline == plan.baseline.original
    assert Arch.load(tmp_path / "run" / "choice.json") == best.candidate.arch
    lines = (tmp_path / "run" / "networks.csv").read_text().splitlines()
    assert len(lines) == 1 + len(result.answer.standings)
    assert "inf" not in lines[1]


def test_a_proxys_rounding_is_not_the_whole_networks(tmp_path: Path) -> None:
    plan = prepare(GridConfig(baseline="mobilenet_v2", workers=1))
    assert plan.rounding != Rounding()
    result = found(outcome(plan, 2))
    assert result.rounding == Rounding()
    assert result.baseline.name == "mobilenet_v2"
    assert result.data["trained_baseline"]["key"] == plan.baseline.trained.key


def test_the_plan_says_what_will_be_trained(plan: GridPlan) -> None:
    text = describe_plan(plan)
    count = 2 * (len(plan.grid.networks) + 1)
    assert f"trainings  {count}: the networks and their baseline with 2 seeds each" in text
    assert all(str(one.coefficients) in text for one in plan.grid.networks)
    assert "FLOPs (multiply-adds)" in text
