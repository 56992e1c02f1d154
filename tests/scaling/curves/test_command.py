"""The command from end to end: finished, shown again, extended."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

import search_spaces as ss
from scaling.coefficients_file import Found
from scaling.curves.__main__ import main
from search_spaces.common import cli
from search_spaces.resizing.compound import Coefficients
from search_spaces.resizing.rounding import Rounding

pytestmark = pytest.mark.slow

SETTINGS = (
    "--images 64 --epochs 1 --validation 20 --workers 0 --seeds 2 --main-seeds 3 --multiples 1 2 --runs 1 "
    "--strategies width compound"
)


def flags(folder: Path, *more: str) -> list[str]:
    places = {"--dataset": f"imagefolder:{folder / 'images'}", "--coefficients": folder / "found.json"}
    words = [str(word) for place in places.items() for word in place]
    return [*SETTINGS.split(), *more, *words, "--run", str(folder / "curves")]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def complete(path: Path) -> list[tuple[str, str]]:
    return sorted((row["key"], row["seed"]) for row in rows(path) if row["outcome"] == "complete")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, write_images: Callable[[Path], None]) -> Path:
    """Images, coefficients, and curves that have them among their strategies."""
    folder = tmp_path_factory.mktemp("runs")
    write_images(folder / "images")
    found = Found(Coefficients(1.0, 1.3, 1.1), ss.get("triaxis_small"), Rounding(2, 4))
    (folder / "found.json").write_text(found.to_json())
    assert cli.run(main, flags(folder)) == 0
    return folder


@pytest.fixture
def curves(folder: Path) -> Path:
    return folder / "curves"


def test_every_point_of_the_curves_has_its_seeds(curves: Path) -> None:
    table = rows(curves / "curves.csv")
    seeds = {curve: [row["seed"] for row in table if row["curve"] == curve] for curve in {r["curve"] for r in table}}
    assert seeds == {
        "baseline": ["0", "1"],
        **{curve: ["0", "1", "2"] for curve in ("width", "compound", "compound-found")},
    }
    trained = complete(curves / "curves-trials.csv")
    assert len(trained) == len(set(trained))
    assert set(trained) == {(row["key"], row["seed"]) for row in table}


def test_the_curves_rows_are_whole(curves: Path) -> None:
    for row in rows(curves / "curves.csv"):
        assert 0 <= float(row["test_accuracy"]) <= 1
        assert float(row["latency_median"]) > 0
        assert float(row["seconds"]) > 0
        assert float(row["cost"]) == pytest.approx(float(row["multiple"]), rel=0.15)
        assert row["upsampled"] == "False"


def test_the_curves_conclusions_are_those_of_their_rows(curves: Path) -> None:
    data, table = json.loads((curves / "curves.json").read_text()), rows(curves / "curves.csv")
    for point in data["points"]:
        mine = [float(row["test_accuracy"]) for row in table if row["curve"] == point["curve"]]
        assert point["test_accuracy"]["value"] == pytest.approx(sum(mine) / len(mine))
    assert (data["compound"], data["best_single"]) == ("compound-found", "width")
    means = {point["curve"]: point for point in data["points"]}
    adjusted = {
        name: means[name]["test_accuracy"]["value"]
        - data["accuracy_per_doubling"] * math.log2(means[name]["macs"] / means[name]["target_macs"])
        for name in ("compound-found", "width", "compound")
    }
    assert data["main"]["difference"]["value"] == pytest.approx(adjusted["compound-found"] - adjusted["width"])
    paper = data["found_against_paper"]["difference"]["value"]
    assert paper == pytest.approx(adjusted["compound-found"] - adjusted["compound"])


def test_the_first_seeds_weights_load(curves: Path) -> None:
    from studies.trainer.checkpoint import load_weights

    points = json.loads((curves / "curves.json").read_text())["points"]
    for point in points:
        arch, network = load_weights(curves / point["weights"])
        assert arch.key == point["key"]
        assert sum(p.numel() for p in network.parameters()) == point["params"]
    files = {path.name for path in (curves / "weights").iterdir()}
    assert files == {f"{point['key']}-seed0.{ending}" for point in points for ending in ("safetensors", "json")}


def test_finished_curves_are_shown_again_and_extended(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last test: it changes the run."""
    curves = folder / "curves"
    before = complete(curves / "curves-trials.csv")
    assert cli.run(main, flags(folder)) == 0
    assert (curves / "result.txt").read_text() in capsys.readouterr().out
    assert complete(curves / "curves-trials.csv") == before
    assert cli.run(main, flags(folder, "depth")) == 0
    assert set(before) < set(complete(curves / "curves-trials.csv"))
    assert {row["curve"] for row in rows(curves / "curves.csv")} >= {"width", "depth", "compound", "compound-found"}
    assert list((curves / "weights").glob("*-seed0.safetensors"))
