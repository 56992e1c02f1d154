"""The command from end to end: killed, interrupted, resumed, finished, shown again, extended."""

from __future__ import annotations

import csv
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import search_spaces as ss
from scaling.coefficients_file import read
from scaling.grid.__main__ import main
from search_spaces.common import cli

pytestmark = pytest.mark.slow

TIMEOUT = 240
SETTINGS = (
    "--images 64 --epochs 1 --validation 20 --workers 0 --seeds 2 --choice-seeds 2 --allow-small "
    "--alpha 1 1 --beta 1.2 1.4 --gamma 1 1.2"
)


def flags(run: Path, *more: str) -> list[str]:
    return [*SETTINGS.split(), "--dataset", f"imagefolder:{run.parent / 'images'}", "--run", str(run), *more]


@contextmanager
def started(run: Path) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, which does not outlive the test."""
    command = [sys.executable, "-m", "scaling.grid", *flags(run)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finished_trials(run: Path) -> dict[tuple[int, int], str]:
    """When each trial with a result in the ledger was finished, by study and number."""
    query = "SELECT study_id, number, datetime_complete FROM trials WHERE state = 'COMPLETE'"
    try:
        with sqlite3.connect(f"file:{run / 'ledger.db'}?mode=ro", uri=True, timeout=30) as ledger:
            return {(study, number): end for study, number, end in ledger.execute(query)}
    except sqlite3.OperationalError:
        return {}


def wait_for(run: Path, trials: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while len(finished_trials(run)) < trials:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the run makes no progress"
        time.sleep(0.02)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def complete(path: Path) -> list[tuple[str, str]]:
    return sorted((row["key"], row["seed"]) for row in rows(path) if row["outcome"] == "complete")


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory, write_images: Callable[[Path], None]) -> Path:
    """A grid that was killed, then interrupted, then ran to its end."""
    run = tmp_path_factory.mktemp("runs") / "grid"
    write_images(run.parent / "images")
    with started(run) as process:
        wait_for(run, 1, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    first = finished_trials(run)
    with started(run) as process:
        wait_for(run, len(first) + 1, process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, len(errors.splitlines())) == (130, 1), errors
    second = finished_trials(run)
    assert first.items() < second.items()
    assert not (run / "coefficients.json").exists()
    assert cli.run(main, flags(run)) == 0
    assert second.items() < finished_trials(run).items()
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
    from scaling.family.__main__ import main as make_family

    path = grid / "coefficients.json"
    assert cli.run(make_family, ["--coefficients", str(path), "--phi", "0", "1", "--out", str(tmp_path / "f")]) == 0
    assert ss.Arch.load(tmp_path / "f" / "phi-0.json").key == read(path).baseline.key


def test_the_choices_weights_load(grid: Path) -> None:
    from studies.trainer.checkpoint import load_weights

    arch, network = load_weights(grid / "weights" / f"{ss.Arch.load(grid / 'choice.json').key}-seed1000.safetensors")
    assert sum(p.numel() for p in network.parameters()) == ss.cost(arch).params
    assert not list(grid.rglob("*.ckpt"))


def test_a_finished_grid_is_shown_again(grid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = finished_trials(grid)
    assert cli.run(main, flags(grid)) == 0
    assert (grid / "result.txt").read_text() in capsys.readouterr().out
    assert finished_trials(grid) == before


def test_another_grid_is_refused(grid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = finished_trials(grid)
    assert cli.run(main, flags(grid, "--phi", "2")) == 2
    error = capsys.readouterr().err
    assert "phi" in error
    assert len(error.splitlines()) == 1
    assert finished_trials(grid) == before


def test_the_manifest_lists_every_session(grid: Path) -> None:
    manifest = json.loads((grid / "manifest.json").read_text())
    assert manifest["status"] == "finished"
    assert [session["status"] for session in manifest["sessions"]][:3] == ["killed", "interrupted", "finished"]


def test_more_seeds_extend_the_grid(grid: Path) -> None:
    """Last of the grid's: it changes the run."""
    before = finished_trials(grid)
    assert cli.run(main, flags(grid, "--seeds", "3")) == 0
    assert before.items() < finished_trials(grid).items()
    assert {seed for _, seed in complete(grid / "grid-trials.csv")} == {"0", "1", "2"}
    assert len(complete(grid / "grid-trials.csv")) == 4 * 3


def test_a_grid_with_a_learning_rate_for_each_network(grid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = grid.parent / "rates"
    assert cli.run(main, flags(run, "--lr-per-network", "--lr-factors", "1", "0.1")) == 0
    data = json.loads((run / "coefficients.json").read_text())
    rates, means = data["learning_rates"], {}
    for factor, name in ((1.0, "grid"), (0.1, "grid-lr0.1")):
        table = rows(run / f"{name}-trials.csv")
        assert complete(run / f"{name}-trials.csv") == sorted(
            (key, seed) for key in {row["key"] for row in table} for seed in "01"
        )
        for key in {row["key"] for row in table}:
            means[key, factor] = sum(float(row["accuracy"]) for row in table if row["key"] == key) / 2
    keys = {key for key, _ in means}
    for key in keys:
        assert rates["chosen"][key] == max((1.0, 0.1), key=lambda factor: means[key, factor])
    for network in data["networks"]:
        own = means[network["key"], rates["chosen"][network["key"]]]
        assert sum(network["accuracies"].values()) / 2 == pytest.approx(own)
        assert network["lr"] == pytest.approx(rates["recipe"] * rates["chosen"][network["key"]])
    # The same seeds at the recipe's rate give the trainings of a grid without rates.
    plain = {(row["key"], row["seed"]): row["accuracy"] for row in rows(grid / "grid-trials.csv") if row["accuracy"]}
    for row in rows(run / "grid-trials.csv"):
        assert plain[row["key"], row["seed"]] == row["accuracy"]
    assert not list(run.rglob("*.ckpt"))
    before = finished_trials(run)
    assert cli.run(main, flags(run)) == 2
    assert "lr_" in capsys.readouterr().err
    assert cli.run(main, flags(run, "--lr-per-network", "--lr-factors", "1", "0.1")) == 0
    assert (run / "result.txt").read_text() in capsys.readouterr().out
    assert finished_trials(run) == before
