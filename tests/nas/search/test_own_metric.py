"""A user's additive metric from outside, the number of 5x5 layers, as target, band, limit and Pareto axis.

Nothing but the file that the test writes knows the metric.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from nas.search.__main__ import main
from reports.build import main as build
from search_spaces.networks.arch import Arch
from search_spaces.networks.layers import walk

CODE = """
from search_spaces.metrics.registry import Metric

def of_block(block):
    return sum(layer.kind == "conv" and layer.kernel == 5 for layer in block.layers)

FIVES = Metric(name="fives", code="fives_outside:of_block", label="5x5 layers", source="a toy")
"""
FIVES = "fives_outside:FIVES"
SMALL = {
    "space": "small", "resolution": 12, "width": 0.25, "proxy.resolution": 12, "proxy.width": 0.25, "proxy.images": 64,
    "proxy.epochs": 1, "trials": 10, "finalists": 1, "finalist.seeds": 1, "finalist.epochs": 1, "controls": "none",
    "random-controls": 0, "workers": 0,
}  # fmt: skip


@pytest.fixture(autouse=True)
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fives_outside.py").write_text(CODE)
    monkeypatch.syspath_prepend(str(tmp_path))


def fives(arch: str) -> int:
    """The number of 5x5 convolutions of a network, counted layer by layer."""
    return sum(layer.kind == "conv" and layer.kernel == 5 for layer in walk(Arch.from_json(arch)))


def searched(folder: Path, *words: str) -> pd.DataFrame:
    """The trials of a search."""
    flags = [word for name, value in SMALL.items() for word in (f"--{name}", str(value))]
    assert main([*flags, "--run", str(folder), *words]) == 0
    trials = pd.read_csv(folder / "trials.csv")
    assert len(trials) == 10
    return trials


def reported(folder: Path) -> tuple[str, set[str]]:
    """The text of the run's report and the names of its figures."""
    assert build([str(folder)]) == 0
    report = folder / "report"
    return (report / "report.md").read_text(), {file.stem for file in report.rglob("*.png")}


@pytest.mark.slow
def test_it_is_target_and_band_of_a_reward(tmp_path: Path) -> None:
    run = tmp_path / "reward"
    trials = searched(run, "--target", f"{FIVES}=6", "--cost-band", "0.5", "1.0", "--max-params", "150K")
    assert trials[FIVES].between(3, 6).all()
    assert (trials["params"] <= 150_000).all()
    expected = trials["accuracy"] * (trials[FIVES] / 6) ** -0.07
    assert trials["value"].tolist() == pytest.approx(expected.tolist())
    # The predictor proposes with the metric among its features; nothing leaves the band.
    assert {"uniform", "predictor"} <= set(trials["proposed_by"])
    result = json.loads((run / "result.json").read_text())
    assert result["best"]["target"] == {"metric": FIVES, "value": 6}
    assert result["best"]["limits"] == {"params": 150_000}
    assert result["best"]["metrics"][FIVES] == fives((run / "best.json").read_text())
    text, figures = reported(run)
    assert "Accuracy against 5x5 layers" in text
    assert "(5x5 layers/T)^-0.07" in text
    assert any(name.endswith("search-accuracy") for name in figures)


@pytest.mark.slow
def test_it_is_limit_and_pareto_axis(tmp_path: Path) -> None:
    run = tmp_path / "pareto"
    words = f"--target-flops 500K --cost-band 0.5 1.5 --limits {FIVES}=4 --objective pareto --axes macs {FIVES}".split()
    trials = searched(run, *words, "--sampler", "random")
    assert (trials[FIVES] <= 4).all()
    assert trials["macs"].between(250_000, 750_000).all()
    assert trials["value_1"].tolist() == trials["macs"].tolist()
    assert trials["value_2"].tolist() == trials[FIVES].tolist()
    text, figures = reported(run)
    assert "Accuracy against 5x5 layers" in text
    assert len([name for name in figures if "search-accuracy" in name]) == 2
