"""Curves with a learning rate for each network, with trainings whose accuracies are known."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scaling.curves import run as running
from scaling.curves.analysis import analyse
from scaling.curves.conclusions import CurvesConclusions
from scaling.curves.config import CurvesConfig
from scaling.curves.files import write_files
from scaling.curves.plan import prepare
from scaling.curves.report import describe_plan, report
from scaling.curves.run import CurvesResult
from scaling.experiment.trainings import Experiment
from search_spaces.networks.arch import Arch
from studies.data.load import load
from studies.outcome import Rung
from studies.runs.folder import RunFolder
from studies.timing.latency import Latency
from studies.workers.config import WorkersConfig
from studies.workers.pool import WorkerPool
from studies.workers.protocol import Job

RECIPES = 0.1
CONFIG = CurvesConfig(
    images=64, epochs=1, validation=100, workers=WorkersConfig(0), strategies=("depth", "width", "compound"),
    multiples=(2.0,), seeds=2, main_seeds=3, lr_per_network=True,
)  # fmt: skip
# Accuracy on validation and on test images of the networks at twice the cost by rate; the baseline has 0.5 everywhere.
ACCURACIES = {
    ("depth", 0.1): (0.60, 0.60),
    ("depth", 0.03): (0.65, 0.80),
    ("depth", 0.01): (0.64, 0.95),
    ("width", 0.1): (0.61, 0.62),
    ("width", 0.03): (0.60, 0.90),
    ("width", 0.01): (0.60, 0.90),
    ("compound", 0.1): (0.70, 0.70),
    ("compound", 0.03): (0.70, 0.90),
    ("compound", 0.01): (0.60, 0.90),
}
CHOSEN = {"baseline": 0.1, "depth": 0.03, "width": 0.1, "compound": 0.1}
Run = Callable[[], tuple[CurvesResult, list[Job]]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the curves in this process. Returns the result and the new jobs."""
    plan = prepare(CONFIG)
    curves = {point.arch: point.curve for point in plan.points}

    def measure(archs: Sequence[Any], conditions: Any) -> list[Latency]:
        return [Latency.of((0.003,), conditions, channels_last=True)] * len(archs)

    def run() -> tuple[CurvesResult, list[Job]]:
        jobs: list[Job] = []

        def work(job: Job) -> Iterator[Rung]:
            jobs.append(job)
            arch, seed = Arch.from_json(job["arch"]), job["seed"]
            rate = job["notes"]["recipe"].get("lr", RECIPES)
            validation, test = ACCURACIES.get((curves[arch], rate), (0.5, 0.5))
            weights = Path(job["training"]["folder"]) / f"{arch.key}-seed{seed}.safetensors"
            weights.parent.mkdir(exist_ok=True)
            weights.write_text("")
            noise = {0: 0.0, 1: 0.001, 2: -0.001}[seed] * (1 + (curves[arch] == "compound"))
            yield {"step": 1, "accuracy": validation, "loss": 1.0, "test_accuracy": test + noise}

        monkeypatch.setattr(running, "measure_all", measure)
        with RunFolder.open(tmp_path / "run", {}) as folder:
            workers, data = WorkerPool(CONFIG.workers), load(CONFIG.data.dataset, validation=100)
            experiment = Experiment(CONFIG, CONFIG.identity(), folder, Console(quiet=True), data, workers, work)
            result = running.run_curves(plan, experiment)
            write_files(result, analyse(result), folder)
        return result, jobs

    return run


def test_each_network_counts_at_its_best_rate_on_validation_images(run: Run, tmp_path: Path) -> None:
    result, jobs = run()
    assert result.rates is not None
    rates = {point.planned.curve: result.rates.rate(point.planned.arch.key) for point in result.points}
    # Test images would choose 0.01 for depth, and another rate than the recipe's for width and compound.
    assert rates == CHOSEN
    for point in result.points:
        curve = point.planned.curve
        expected = ACCURACIES.get((curve, CHOSEN[curve]), (0.5, 0.5))
        assert (point.validation[0], point.test[0]) == expected
        kept = tmp_path / "run" / point.weights
        assert kept.exists()
        assert kept.parent.name == ("weights-lr0.3" if curve == "depth" else "weights")
    # Further seeds may choose another rate, so the first seed's weights are kept at every rate.
    kept_files = [path.stem for path in (tmp_path / "run").rglob("*.safetensors")]
    assert sorted(kept_files) == sorted(3 * [f"{point.planned.arch.key}-seed0" for point in result.points])
    assert {point.planned.curve: point.test[0] for point in result.with_recipe} == {
        "baseline": 0.5, "depth": 0.6, "width": 0.62, "compound": 0.7
    }  # fmt: skip
    # The baseline with two seeds, three networks with three, each at three rates.
    assert len(jobs) == 3 * (2 + 3 * 3)
    assert f" {len(jobs)}: " in next(
        line for line in describe_plan(prepare(CONFIG)).splitlines() if line.startswith("trainings")
    )
    assert run()[1] == []


def test_the_verdict_is_compared_with_that_of_the_recipes_rate(run: Run, tmp_path: Path) -> None:
    """At their own rates depth leads compound by ten points; with 0.1 for all compound leads by eight."""
    result, _ = run()
    analysis = analyse(result)
    conclusions = CurvesConclusions.of(analysis, 2.0)
    assert conclusions.main is not None
    assert (conclusions.main.verdict, conclusions.best_single) == ("worse", "depth")
    assert conclusions.rates is not None
    assert (conclusions.rates.verdict, conclusions.rates.best_single) == ("better", "width")
    assert conclusions.rates.verdicts == {"depth": "better", "width": "better"}
    values = json.loads((tmp_path / "run" / "curves.json").read_text())
    assert CurvesConclusions.of_file(values).rates == conclusions.rates
    with (tmp_path / "run" / "curves.csv").open(newline="") as file:
        assert {row["curve"]: float(row["lr"]) for row in csv.DictReader(file)} == CHOSEN
    text = report(result, analysis, tmp_path)
    lines = conclusions.describe_rates()
    assert len(lines) == 2
    assert all(line in text for line in lines)
    assert "better against width in place of worse against depth" in lines[1]


def test_without_a_training_at_the_recipes_rate_there_is_no_other_verdict(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = {place: (float("nan"), 0.5) for place in [(curve, RECIPES) for curve in CHOSEN]}
    monkeypatch.setattr(f"{__name__}.ACCURACIES", {**ACCURACIES, **lost})
    result, _ = run()
    assert result.with_recipe == ()
    conclusions = CurvesConclusions.of(analyse(result), 2.0)
    assert conclusions.main is not None
    assert conclusions.rates is not None
    assert conclusions.rates.verdict == ""
    assert len(conclusions.describe_rates()) == 2
