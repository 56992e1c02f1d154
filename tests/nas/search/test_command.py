"""The whole search on somebody's own images: killed, interrupted, resumed, finished, printed again, extended."""

from __future__ import annotations

import csv
import io
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import search_spaces as ss
from nas.search import __main__ as search
from search_spaces.common import cli

pytestmark = pytest.mark.slow

TRIALS = 6
BAND = (0.9, 1.05)
PATIENCE = 240


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of real images, ImageNet's layout: two classes of the bundled data set, 120 to train on, 40 to test."""
    from studies.data.load import load

    folder = tmp_path_factory.mktemp("images")
    split = load("fashion-mnist-mini").train
    for label, name in ((0, "t-shirt"), (9, "boot")):
        chosen = split.images[split.labels == label].numpy()[:80, 0]
        for part, rows in (("train", chosen[:60]), ("val", chosen[60:])):
            (folder / part / name).mkdir(parents=True)
            for index, pixels in enumerate(rows):
                Image.fromarray(pixels.astype(np.uint8)).save(folder / part / name / f"{index}.png")
    return folder


def words(images: Path, run: Path, *more: str) -> list[str]:
    """The flags of the search."""
    flags = (
        "--target-flops 60M --space small --resolution 28 --proxy.width 0.25 --proxy.images 0 --proxy.epochs 2 "
        f"--trials {TRIALS} --finalists 2 --finalist.seeds 2 --finalist.epochs 2 --sampler random --workers 1 "
        f"--seed 3 --cost-band {BAND[0]} {BAND[1]} --dataset imagefolder:{images} --run {run} "
        "--controls mobilenet_v2 --random-controls 1"
    )
    return [*flags.split(), *more]


@contextmanager
def started(words: list[str]) -> Iterator[subprocess.Popen[str]]:
    """The command under way in a process of its own; whatever happens, it does not outlive the test."""
    command = [sys.executable, "-m", "nas.search", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finished_trials(run: Path) -> set[int]:
    """Numbers of the trials that the ledger holds a result of."""
    try:
        with sqlite3.connect(f"file:{run / 'ledger.db'}?mode=ro", uri=True, timeout=30) as ledger:
            rows = ledger.execute("SELECT number FROM trials WHERE state IN ('COMPLETE', 'PRUNED')").fetchall()
    except sqlite3.OperationalError:
        return set()
    return {number for (number,) in rows}


def wait_for(run: Path, trials: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while len(finished_trials(run)) < trials:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the search makes no progress"
        time.sleep(0.1)


def rows(run: Path, table: str = "trials.csv") -> list[dict[str, str]]:
    with (run / table).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def run(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed, then interrupted, both without Ray; then it ran to its end on Ray."""
    folder = tmp_path_factory.mktemp("runs") / "x"
    alone = words(images, folder, "--workers", "0")

    with started(alone) as killed:
        wait_for(folder, 1, killed)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    first = finished_trials(folder)
    assert first

    with started(alone) as interrupted:
        wait_for(folder, len(first) + 1, interrupted)
        interrupted.send_signal(signal.SIGINT)
        _, errors = interrupted.communicate(timeout=PATIENCE)
    assert interrupted.returncode == 130
    assert len(errors.splitlines()) == 1
    second = finished_trials(folder)
    assert first < second
    assert len(second) < TRIALS

    with redirect_stdout(io.StringIO()) as output:
        assert cli.run(search.main, words(images, folder)) == 0
    (folder / "stdout").write_text(output.getvalue())
    kept = {int(row["number"]) for row in rows(folder) if row["outcome"] in ("complete", "pruned")}
    assert second <= kept
    return folder


def test_the_total_is_reached_and_nothing_is_lost_or_run_twice(run: Path):
    trials = rows(run)
    over = [row for row in trials if row["outcome"] != "interrupted"]
    interrupted = [row for row in trials if row["outcome"] == "interrupted"]
    assert len(over) == TRIALS
    assert {row["outcome"] for row in over} <= {"complete", "pruned"}
    assert len({row["key"] for row in over}) == TRIALS
    # Whatever was under way when the driver died was run again: same network, same seed.
    again = {(row["key"], row["seed"]) for row in over}
    assert interrupted
    assert {(row["key"], row["seed"]) for row in interrupted} <= again


def test_the_best_network_loads_and_lies_in_the_band(run: Path):
    arch = ss.Arch.load(run / "best.json")
    assert BAND[0] * 60e6 <= ss.cost(arch).macs <= BAND[1] * 60e6
    assert arch.classes == 2
    assert arch.resolution == 28
    result = json.loads((run / "result.json").read_text())
    assert result["best"]["key"] == arch.key
    assert result["best"]["metrics"]["macs"] == ss.cost(arch).macs
    assert result["best"]["fvcore_flops"] > result["best"]["metrics"]["macs"]


def test_the_proxys_weights_belong_to_the_proxy(run: Path):
    from studies.trainer.checkpoint import load_weights

    arch, network = load_weights(run / "best-proxy.safetensors")
    full = ss.Arch.load(run / "best.json")
    assert sum(p.numel() for p in network.parameters()) == ss.cost(arch).params < ss.cost(full).params


def test_the_report_names_images_proxy_and_files(run: Path, images: Path):
    text = (run / "stdout").read_text()
    assert f"imagefolder:{images} at 28 px, width x0.25, 2 epochs, 2 seeds" in text
    assert str(run / "best.json") in text


@pytest.mark.parametrize(("phase", "networks"), [("finalist", 2), ("control", 3)])
def test_every_finalist_and_every_control_has_every_seed(run: Path, phase: str, networks: int):
    trained = [row for row in rows(run, "finalists.csv") if row["phase"] == phase]
    seeds = {key: {row["seed"] for row in trained if row["key"] == key} for key in {r["key"] for r in trained}}
    # Controls are mobilenet_v2, the reference of the space and a random network.
    assert len(seeds) == networks
    assert set(map(frozenset, seeds.values())) == {frozenset({"1003", "1004"})}


def test_no_checkpoint_is_left(run: Path):
    assert not list(run.rglob("*.ckpt"))


def test_the_manifest_tells_of_every_session(run: Path):
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["status"] == "finished"
    assert [session["status"] for session in manifest["sessions"]][1:] == ["interrupted", "finished"]
    assert "nas.search" in manifest["sessions"][-1]["command"]
    assert manifest["sessions"][-1]["versions"]["torch"]


def test_a_finished_run_is_shown_again_and_not_overwritten(run: Path, images: Path, capsys: pytest.CaptureFixture[str]):
    before = (run / "manifest.json").read_text()
    assert cli.run(search.main, words(images, run)) == 0
    assert "This run was finished before" in capsys.readouterr().out
    assert (run / "manifest.json").read_text() == before


def test_another_configuration_is_refused(run: Path, images: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.run(search.main, words(images, run, "--proxy.width", "0.5")) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "proxy.width" in line


def test_more_trials_extend_the_run(run: Path, images: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.run(search.main, words(images, run, "--trials", str(TRIALS + 1), "--workers", "0")) == 0
    assert f"{TRIALS + 1} different networks trained" in capsys.readouterr().out
