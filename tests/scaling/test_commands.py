"""A grid and curves from end to end: killed, interrupted, continued, finished, shown again, continued anew."""

from __future__ import annotations

import csv
import json
import math
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import search_spaces as ss
from scaling.coefficients_file import read
from search_spaces.common import cli

pytestmark = pytest.mark.slow

PATIENCE = 240
TINY = "--images 64 --epochs 1 --validation 100 --workers 1"
GRID = f"{TINY} --seeds 2 --choice-seeds 2 --allow-small --alpha 1 1 --beta 1.2 1.4 --gamma 1 1.2"
CURVES = f"{TINY} --seeds 2 --main-seeds 3 --strategies width compound --multiples 1 2 --runs 1"


def command(module: str, words: str, run: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", module, *words.split(), "--run", str(run), *more]


@contextmanager
def started(words: list[str]) -> Iterator[subprocess.Popen[str]]:
    """The command under way; whatever happens, it does not outlive the test."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finished_trials(run: Path) -> dict[tuple[int, int], str]:
    """When each trial that the ledger holds a result of was finished, by study and number."""
    query = "SELECT study_id, number, datetime_complete FROM trials WHERE state = 'COMPLETE'"
    try:
        with sqlite3.connect(f"file:{run / 'ledger.db'}?mode=ro", uri=True, timeout=30) as ledger:
            return {(study, number): end for study, number, end in ledger.execute(query)}
    except sqlite3.OperationalError:
        return {}


def wait_for(run: Path, trials: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while len(finished_trials(run)) < trials:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the run makes no progress"
        time.sleep(0.1)


def killed(words: list[str], run: Path) -> dict[tuple[int, int], str]:
    """The driver dies by SIGKILL once it has a result; its results."""
    with started(words) as process:
        wait_for(run, 1, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    return finished_trials(run)


def ended(words: list[str]) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(words: list[str]) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    return done.stderr


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def complete(path: Path) -> list[tuple[str, str]]:
    return sorted((row["key"], row["seed"]) for row in rows(path) if row["outcome"] == "complete")


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grid that was killed, then interrupted, then ran to its end."""
    run = tmp_path_factory.mktemp("runs") / "grid"
    words = command("scaling.grid", GRID, run)
    first = killed(words, run)
    with started(words) as interrupted:
        wait_for(run, len(first) + 1, interrupted)
        interrupted.send_signal(signal.SIGINT)
        _, errors = interrupted.communicate(timeout=PATIENCE)
    assert interrupted.returncode == 130
    assert errors.splitlines() == ["interrupted: run the same command to resume"]
    second = finished_trials(run)
    assert first.items() < second.items()
    assert not (run / "coefficients.json").exists()
    (run / "stdout").write_text(ended(words))
    assert second.items() < finished_trials(run).items()
    return run


@pytest.fixture(scope="module")
def curves(grid: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Curves that were killed, then ran to their end, with the grid's coefficients among their strategies."""
    run = tmp_path_factory.mktemp("runs") / "curves"
    words = command("scaling.curves", CURVES, run, "--coefficients", str(grid / "coefficients.json"))
    first = killed(words, run)
    (run / "stdout").write_text(ended(words))
    assert first.items() < finished_trials(run).items()
    return run


def test_every_network_of_the_grid_was_trained_once_with_every_seed(grid: Path) -> None:
    data = json.loads((grid / "coefficients.json").read_text())
    keys = {data["trained_baseline"]["key"], *(network["key"] for network in data["networks"])}
    assert len(data["networks"]) == data["grid"]["networks"] == 3
    assert complete(grid / "grid-trials.csv") == sorted((key, seed) for key in keys for seed in "01")
    chosen = {data["choice"]["key"], data["choice"]["paper_key"]}
    assert complete(grid / "choice-trials.csv") == sorted((key, seed) for key in chosen for seed in ("1000", "1001"))


def test_the_grids_files_agree_with_each_other(grid: Path) -> None:
    data = json.loads((grid / "coefficients.json").read_text())
    best = max(data["networks"], key=lambda network: network["accuracy"]["value"])
    assert data["coefficients"] == {name: best[name] for name in ("alpha", "beta", "gamma")}
    assert ss.Arch.load(grid / "choice.json").key == best["key"] == data["choice"]["key"]
    table = rows(grid / "networks.csv")
    assert len(table) == 3 * 2
    ledger = {(row["key"], row["seed"]): row for row in rows(grid / "grid-trials.csv") if row["outcome"] == "complete"}
    for row in table:
        assert float(row["accuracy"]) == pytest.approx(float(ledger[row["key"], row["seed"]]["accuracy"]))
        assert float(row["cost"]) == pytest.approx(2, rel=0.05)


def test_the_grids_coefficients_make_a_family(grid: Path, tmp_path: Path) -> None:
    from scaling.family.__main__ import main

    path = grid / "coefficients.json"
    assert cli.run(main, ["--coefficients", str(path), "--phi", "0", "1", "--out", str(tmp_path / "f")]) == 0
    assert ss.Arch.load(tmp_path / "f" / "phi-0.json").key == read(path).baseline.key


def test_the_choices_weights_load(grid: Path) -> None:
    from studies.trainer.checkpoint import load_weights

    arch, network = load_weights(grid / "weights" / f"{ss.Arch.load(grid / 'choice.json').key}-seed1000.safetensors")
    assert sum(p.numel() for p in network.parameters()) == ss.cost(arch).params
    assert not list(grid.rglob("*.ckpt"))


def test_a_finished_grid_is_shown_again(grid: Path) -> None:
    before = finished_trials(grid)
    text = ended(command("scaling.grid", GRID, grid))
    assert "This run was finished before; nothing was trained now." in text
    assert (grid / "result.txt").read_text() in text
    assert finished_trials(grid) == before


def test_another_grid_is_refused(grid: Path) -> None:
    assert "phi is 1.0 there and 2.0 here" in refused(command("scaling.grid", GRID, grid, "--phi", "2"))
    assert "holds another configuration" in refused(command("scaling.curves", CURVES, grid))


def test_the_manifest_tells_of_every_session(grid: Path) -> None:
    manifest = json.loads((grid / "manifest.json").read_text())
    assert manifest["status"] == "finished"
    assert [session["status"] for session in manifest["sessions"]][:3] == ["killed", "interrupted", "finished"]


def test_more_seeds_go_on_with_the_grid(grid: Path) -> None:
    """Last of the grid's: it changes the run."""
    before = finished_trials(grid)
    text = ended(command("scaling.grid", GRID, grid, "--seeds", "3"))
    assert "mean of 3 seeds" in text
    assert before.items() < finished_trials(grid).items()
    assert {seed for _, seed in complete(grid / "grid-trials.csv")} == {"0", "1", "2"}
    assert len(complete(grid / "grid-trials.csv")) == 4 * 3


def test_every_place_of_the_curves_has_its_seeds(curves: Path) -> None:
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


def test_more_strategies_go_on_with_the_curves(curves: Path, grid: Path) -> None:
    """Last of the curves': it changes the run."""
    more = ("--coefficients", str(grid / "coefficients.json"))
    words = command("scaling.curves", CURVES, curves, *more)
    before = finished_trials(curves)
    assert "This run was finished before; nothing was trained now." in ended(words)
    words[words.index("compound") : words.index("compound") + 1] = ["compound", "depth"]
    assert "At x2, on test images" in ended(words)
    assert before.items() < finished_trials(curves).items()
    assert {row["curve"] for row in rows(curves / "curves.csv")} >= {"width", "depth", "compound", "compound-found"}
    assert list((curves / "weights").glob("*-seed0.safetensors"))
