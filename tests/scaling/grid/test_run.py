"""What a grid trains, with trainings that are made up: nothing over a limit, in no phase."""

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
from scaling.grid.plan import prepare
from scaling.grid.report import describe_plan, report
from scaling.grid.run import GridResult, run_grid
from search_spaces.metrics.compute import compute
from search_spaces.metrics.memory import training_memory
from search_spaces.networks.arch import Arch
from studies.data.load import load
from studies.ledger.ledger import Ledger
from studies.ledger.storage import sqlite_url
from studies.outcome import Rung
from studies.runs.folder import LEDGER, RunFolder
from studies.workers.config import WorkersConfig
from studies.workers.pool import WorkerPool
from studies.workers.protocol import Job

OWN = """
def layers_5x5(block):
    return sum(layer.kernel == 5 for layer in block.layers)
"""
# Parameters of the network of the paper's coefficients, of those on the grid with fewer, and of the baseline.
PAPERS, FEWER, BASELINES = 78_117, (75_478, 77_288), 60_365


@pytest.fixture
def run(tmp_path: Path) -> Callable[[GridConfig], tuple[GridResult, list[Job]]]:
    """Runs a grid in this process and writes its files; deeper networks are better. Returns the result and all jobs."""

    def work_of(jobs: list[Job]) -> Callable[[Job], Iterator[Rung]]:
        def work(job: Job) -> Iterator[Rung]:
            jobs.append(job)
            depth = sum(stage.layers for stage in Arch.from_json(job["arch"]).stages)
            rung: dict[str, Any] = {"step": 1, "accuracy": 0.5 + depth / 100 + job["seed"] / 10**6, "loss": 1.0}
            yield rung | ({"test_accuracy": 0.4} if job["training"]["test"] else {})

        return work

    def run(config: GridConfig) -> tuple[GridResult, list[Job]]:
        plan, jobs = prepare(config), []
        data = load(config.data.dataset, validation=100)
        with RunFolder.open(tmp_path / "run", {}) as folder:
            workers, console = WorkerPool(config.workers), Console(quiet=True)
            experiment = Experiment(config, config.identity(), folder, console, data, workers, work_of(jobs))
            result = run_grid(plan, experiment)
            write_files(result, folder)
            return result, jobs

    return run


def config(**changes: Any) -> GridConfig:
    small = {"images": 64, "epochs": 1, "validation": 100, "workers": WorkersConfig(0), "allow_small": True}
    return GridConfig(**{**small, **changes})


Run = Callable[[GridConfig], tuple[GridResult, list[Job]]]


def trained(jobs: list[Job]) -> list[Arch]:
    return list({job["arch"]: Arch.from_json(job["arch"]) for job in jobs}.values())


def test_without_a_limit_the_papers_network_is_trained(run: Run) -> None:
    result, jobs = run(config(seeds=1, choice_seeds=2))
    assert result.choice.paper.arch.key in {arch.key for arch in trained(jobs)}
    assert compute("params", result.choice.paper.arch) == PAPERS
    assert result.choice.paper_excess == ""
    assert result.choice.contrast is not None


@pytest.mark.parametrize("raw", [False, True])
def test_nothing_over_a_limit_is_trained(run: Run, raw: bool) -> None:
    limited = config(seeds=2, choice_seeds=2, max_params=f"{PAPERS - 1}", raw=raw)
    result, jobs = run(limited)
    needs = [compute("params", arch) for arch in trained(jobs)]
    assert min(needs) == BASELINES
    assert max(needs) < PAPERS
    if not raw:
        assert sorted(needs) == [BASELINES, *FEWER]
        assert result.choice.paper_excess
        assert result.choice.paper_excess in describe_plan(prepare(limited))
        assert (result.choice.paper_test, result.choice.contrast) == (None, None)
    conclusions = GridConclusions.of_file(json.loads(found(result).to_json()))
    assert conclusions.choice.paper_excess == result.choice.paper_excess
    assert result.choice.paper_excess in conclusions.compare_with_paper()


def test_limited_memory_is_that_of_the_recipe_at_the_batch_size_given() -> None:
    plan = prepare(config(max_memory="1GiB", batch_size=64))
    for arch in (plan.grid.baseline, plan.grid.networks[0].arch):
        recipe = plan.config.schedule
        expected = training_memory(arch, 64, optimizer=recipe.optimizer, ema=recipe.ema_decay > 0)
        assert plan.budget.values(arch)["training_memory"] == expected.total


def test_a_metric_of_ones_own_is_a_limit_and_is_kept_with_every_trial(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_metrics.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    name = "my_metrics:layers_5x5"
    free = prepare(config())
    needs = {one.arch.key: compute(name, one.arch) for one in free.grid.networks}
    limit = sorted(needs.values())[len(needs) // 2]
    assert limit < max(needs.values())
    result, jobs = run(config(seeds=1, choice_seeds=1, limits=(f"{name}={limit}",)))
    assert {one.arch.key for one in result.plan.grid.networks} == {key for key in needs if needs[key] <= limit}
    assert max(compute(name, arch) for arch in trained(jobs)) <= limit
    for phase in ("grid", "choice"):
        with Ledger.open(sqlite_url(tmp_path / "run" / LEDGER), phase, {}, read_only=True) as ledger:
            records = ledger.records()
        assert all(one.metrics[name] == compute(name, Arch.from_json(one.arch)) for one in records)
        assert list(records[0].metrics) == [
            *("macs", "params", "activations", "inference_memory", "training_memory"),
            name,
        ]
    with (tmp_path / "run" / "networks.csv").open(newline="") as file:
        assert all(int(row[name]) == needs[row["key"]] for row in csv.DictReader(file))
    assert "layers 5x5" in report(result, tmp_path / "run")
