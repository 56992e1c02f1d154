"""A grid with a learning rate for each network, with trainings whose accuracies are known."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scaling.experiment.trainings import Experiment
from scaling.grid.conclusions import GridConclusions
from scaling.grid.config import GridConfig
from scaling.grid.files import found, write_files
from scaling.grid.plan import GridPlan, prepare
from scaling.grid.report import describe_plan, report
from scaling.grid.run import GridResult, run_grid
from search_spaces.networks.arch import Arch
from studies.data.load import load
from studies.ledger.ledger import Ledger
from studies.ledger.storage import sqlite_url
from studies.outcome import Outcome, Rung
from studies.runs.folder import LEDGER, RunFolder
from studies.workers.config import WorkersConfig
from studies.workers.pool import WorkerPool
from studies.workers.protocol import Job

RECIPES = 0.1
Accuracy = Callable[[Arch, float], float]
Run = Callable[[GridConfig, Accuracy], tuple[GridResult, list[Job]]]


def rate(job: Job) -> float:
    return float(job["notes"]["recipe"].get("lr", RECIPES))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a grid in this process with the accuracies of a function. Returns the result and the new jobs."""

    def run(config: GridConfig, accuracy: Accuracy) -> tuple[GridResult, list[Job]]:
        jobs: list[Job] = []

        def work(job: Job) -> Iterator[Rung]:
            jobs.append(job)
            value = accuracy(Arch.from_json(job["arch"]), rate(job)) + job["seed"] % 1000 / 10**6
            yield {"step": 1, "accuracy": value, "loss": 1.0} | ({"test_accuracy": value} if is_tested(job) else {})

        with RunFolder.open(tmp_path / "run", {}) as folder:
            workers, data = WorkerPool(config.workers), load(config.data.dataset, validation=100)
            experiment = Experiment(
                config, config.identity(), folder, Console(quiet=True), data, workers, work
            )  # fmt: skip
            result = run_grid(prepare(config), experiment)
            write_files(result, folder)
        return result, jobs

    return run


def is_tested(job: Job) -> bool:
    return bool(job["training"]["test"])


def config(**changes: Any) -> GridConfig:
    small = {"images": 64, "epochs": 1, "validation": 100, "workers": WorkersConfig(0), "allow_small": True}
    own = {"seeds": 2, "choice_seeds": 2, "lr_per_network": True, "alpha": (1.0, 1.2), "beta": (1.1, 1.4)}
    return GridConfig(**{**small, **own, **changes})


@pytest.fixture(scope="module")
def plan() -> GridPlan:
    return prepare(config())


def depth(arch: Arch) -> int:
    return sum(stage.layers for stage in arch.stages)


def narrowest(plan: GridPlan) -> Arch:
    return min((one.arch for one in plan.grid.networks), key=lambda arch: (sum(arch.widths), -depth(arch)))


def accuracies(special: Arch) -> Accuracy:
    """At the recipe's rate wide networks are better; at 0.03 `special` is the best of all, the others are worse."""

    def accuracy(arch: Arch, lr: float) -> float:
        if lr == RECIPES:
            return 0.5 + sum(arch.widths) / 10**4
        return 0.9 if lr == 0.03 and arch == special else 0.1

    return accuracy


def test_each_network_counts_at_its_best_rate(plan: GridPlan, run: Run, tmp_path: Path) -> None:
    special = narrowest(plan)
    result, jobs = run(config(), accuracies(special))
    assert result.rates is not None
    assert result.with_recipe is not None
    assert {key for key, factor in result.rates.chosen.items() if factor != 1} == {special.key}
    assert result.analysis.best.network.arch == result.choice.arch == special
    assert result.accuracies[special.key] == pytest.approx({0: 0.9, 1: 0.9 + 1e-6})
    wides = result.with_recipe.best.network.arch
    assert wides != special
    assert result.with_recipe.best.accuracies[0] == 0.5 + sum(wides.widths) / 10**4
    conclusions = GridConclusions.of(result)
    assert conclusions.rates is not None
    assert conclusions.rates.coefficients == result.with_recipe.best.network.coefficients != conclusions.coefficients
    then = {one.network.arch.key for one in result.with_recipe.equals}
    ours = {one.network.arch.key for one in result.analysis.equals}
    assert (conclusions.rates.equal, conclusions.rates.shared) == (len(then), len(then & ours)) == (len(then), 0)
    values = json.loads(found(result).to_json())
    assert GridConclusions.of_file(values).rates == conclusions.rates
    assert values["learning_rates"]["chosen"] == result.rates.chosen
    with (tmp_path / "run" / "networks.csv").open(newline="") as file:
        table = {row["key"]: float(row["lr"]) for row in csv.DictReader(file)}
    assert table == {one.arch.key: 0.03 if one.arch == special else 0.1 for one in plan.grid.networks}
    text = report(result, tmp_path)
    assert conclusions.describe_rates() in text
    assert all(str(one) in text for one in (conclusions.coefficients, conclusions.rates.coefficients))
    assert {rate(job) for job in jobs} == {0.1, 0.03, 0.01}


def test_every_rate_has_the_same_seeds_and_the_choice_its_own_rate(plan: GridPlan, run: Run, tmp_path: Path) -> None:
    special = narrowest(plan)
    result, jobs = run(config(), accuracies(special))
    every = {(arch.key, seed) for arch in (plan.grid.baseline, *(one.arch for one in plan.grid.networks))
             for seed in (0, 1)}  # fmt: skip
    for phase, expected in {"grid": 0.1, "grid-lr0.3": 0.03, "grid-lr0.1": 0.01}.items():
        ours = [job for job in jobs if job["phase"] == phase]
        assert [rate(job) for job in ours] == [expected] * len(every)
        assert {(Arch.from_json(job["arch"]).key, job["seed"]) for job in ours} == every
    planned = next(line for line in describe_plan(plan).splitlines() if line.startswith("trainings"))
    assert f" {3 * len(every)}: " in planned
    chosen = [job for job in jobs if is_tested(job)]
    paper = result.choice.paper.arch.key
    assert {(Arch.from_json(job["arch"]).key, job["seed"], rate(job)) for job in chosen} == {
        *((special.key, seed, 0.03) for seed in (1000, 1001)),
        *((paper, seed, 0.1) for seed in (1000, 1001)),
    }
    assert len(chosen) == 4
    assert {job["phase"] for job in chosen} == {"choice", "choice-lr0.3"}
    # Weights and checkpoints of different rates are not in each other's way.
    assert len({(job["training"]["folder"], rate(job)) for job in jobs}) == 3
    assert len({job["training"]["folder"] for job in jobs}) == 3
    assert (tmp_path / "run" / "choice-lr0.3-trials.csv").exists()
    again, more = run(config(), accuracies(special))
    assert more == []
    assert again.rates == result.rates
    assert again.choice == result.choice


def test_the_paper_network_has_its_own_best_rate_too(plan: GridPlan, run: Run) -> None:
    """It is not on this grid, which grows depth alone."""
    narrow = config(beta=(1.0, 1.0), gamma=(1.0, 1.0), alpha=(1.9, 2.1))
    own = prepare(narrow)
    paper = own.paper(own.grid.target or 0).arch
    assert own.trains_rates_of(own.paper(own.grid.target or 0))

    def accuracy(arch: Arch, lr: float) -> float:
        return 0.5 + (lr == 0.01) / 10 if arch == paper else 0.4 + (lr == RECIPES) / 10

    result, jobs = run(narrow, accuracy)
    assert {rate(job) for job in jobs if Arch.from_json(job["arch"]) == paper and is_tested(job)} == {0.01}
    assert len([job for job in jobs if job["phase"].startswith("paper")]) == 3 * 2
    assert result.choice.paper_test is not None
    assert result.choice.paper_test.value == pytest.approx(0.6, abs=1e-5)
    effect = GridConclusions.of(result).rates
    assert effect is not None
    assert (effect.choice, effect.paper) == (0.1, 0.01)
    assert "6 trainings" in next(line for line in describe_plan(own).splitlines() if line.startswith("then"))


def test_a_rate_at_which_nothing_can_be_trained_does_not_count(plan: GridPlan, run: Run) -> None:
    result, _ = run(config(), lambda _, lr: float("nan") if lr == RECIPES else 0.5 + lr)
    assert result.rates is not None
    assert set(result.rates.chosen.values()) == {0.3}
    assert result.with_recipe is None
    conclusions = GridConclusions.of(result)
    assert conclusions.rates is not None
    assert conclusions.rates.coefficients is None
    assert GridConclusions.of_file(json.loads(found(result).to_json())).rates == conclusions.rates
    assert conclusions.describe_rates()


def test_the_recipes_trainings_are_those_of_a_grid_without_own_rates(run: Run, tmp_path: Path) -> None:
    _, jobs = run(config(), accuracies(narrowest(prepare(config()))))
    with_rates = [job for job in jobs if job["phase"] == "grid"]
    (tmp_path / "run").rename(tmp_path / "other")
    _, without = run(config(lr_per_network=False), accuracies(narrowest(prepare(config()))))
    shared = ("arch", "seed", "notes", "training", "phase")
    assert [[job[name] for name in shared] for job in with_rates] == [
        [job[name] for name in shared] for job in without if job["phase"] == "grid"
    ]
    assert {job["phase"] for job in without} == {"grid", "choice"}
    with Ledger.open(sqlite_url(tmp_path / "run" / LEDGER), "grid", {}, read_only=True) as ledger:
        assert all(record.outcome is Outcome.COMPLETE for record in ledger.records())
