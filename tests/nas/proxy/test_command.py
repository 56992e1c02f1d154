"""The command that compares proxies, from beginning to end; trained in this process."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from nas.proxy import __main__ as proxy
from nas.proxy.config import ProxyConfig
from nas.search.config import SearchConfig
from nas.zero_cost.registry import ZERO_COST_PROXIES
from search_spaces.common import cli
from search_spaces.networks.arch import Arch
from studies.outcome import Rung
from studies.runs.command import REPORT
from studies.trainer.recipe import Proxy
from studies.workers.protocol import Evaluate, Job
from tests.texts import values

FLAGS = (
    "--space small --resolution 28 --target-flops 20M --networks 10 --against.width 0.25 --against.images 1000 "
    "--against.epochs 2 --widths 0.125 0.25 --resolutions 14 --images 300 --epochs 1 2 --gpus-per-trial 0 --workers 0"
)
WORDS = FLAGS.split()
ONE_PROXY = [*WORDS, "--widths", "0.125", "--epochs", "1"]
CHEAP = "x0.125 14px 1x300"


def accuracy_of(part: str) -> float:
    """Six hexadecimal digits as a number from 0 to 1."""
    return int(part, 16) / 16**6


@dataclass
class Command:
    """The command in this process. `trained` has (phase, network, seed) of each job; `zero_cost`: what it scores.

    The reference's accuracy and naswot's score are the network's luck, a proxy's accuracy is nearly so.
    """

    trained: list[tuple[str, str, int]] = field(default_factory=list)
    zero_cost: tuple[str, ...] = tuple(ZERO_COST_PROXIES)

    def __call__(self, words: list[str], train: Evaluate | None = None) -> int:
        return cli.run(partial(proxy.main, train=train or self.train, score=self.score), words)

    def train(self, job: Job) -> Iterator[Rung]:
        key = self._note(job)
        luck = accuracy_of(key[:6])
        blurred = luck if job["phase"] == "reference" else round(luck, 1)
        epochs = job["training"]["proxy"]["epochs"]
        for step in range(1, epochs + 1):
            yield {"step": step, "accuracy": blurred * step / epochs, "loss": 1.0, "seconds": float(step), "images": 9}

    def score(self, job: Job) -> Iterator[Rung]:
        luck = accuracy_of(self._note(job)[:6])
        scores: Rung = {name: math.sin(len(self.trained)) for name in self.zero_cost}
        costs = {f"{name}_seconds": 0.1 for name in self.zero_cost}
        yield {"step": 1, **scores, **costs, "synflow": None, "naswot": luck}

    def _note(self, job: Job) -> str:
        key = Arch.from_json(job["arch"]).key
        self.trained.append((job["phase"], key, job["seed"]))
        return key


@pytest.fixture
def command() -> Command:
    return Command()


def test_the_zero_cost_proxies_asked_for_are_compared(
    tmp_path: Path, command: Command, outside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, own = tmp_path / "run", "outside_score:score"
    command.zero_cost = ("naswot", own)
    assert command([*WORDS, "--zero-cost", "naswot", own, "--run", str(run)]) == 0
    assert own in capsys.readouterr().out
    assert [line["name"] for line in rows_of(run / "proxies.csv")][2:5] == ["naswot", own, CHEAP]
    search = cli.parse(SearchConfig, ["--config", str(run / "proxy.yaml")], prog="search", description="")
    assert search.workers.code == (str(outside.resolve()),)
    assert command([*WORDS, "--zero-cost", "naswot", "--run", str(run)]) == 2
    assert "zero_cost" in capsys.readouterr().err


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_study_from_beginning_to_end(tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    words = [*WORDS, "--run", str(run)]
    assert command(words) == 0
    # 10 networks: by zero-cost proxies, the reference and 4 proxies, which share a seed other than the reference's.
    assert len(command.trained) == 60
    assert {seed for kind, _, seed in command.trained if kind == "reference"} == {1000}
    assert {seed for kind, _, seed in command.trained if kind != "reference"} == {0}
    text = capsys.readouterr().out
    report = (run / REPORT).read_text().replace(str(run), "RUN")
    assert report == (Path(__file__).parent / "report.txt").read_text()
    assert max(len(line) for line in text.splitlines() if str(run) not in line) <= 100
    table = {line["name"]: line for line in rows_of(run / "proxies.csv")}
    assert list(table) == [
        *("MACs", "params", *ZERO_COST_PROXIES),
        *(CHEAP, "x0.125 14px 2x300", "x0.25 14px 1x300", "x0.25 14px 2x300"),
    ]
    assert float(table[CHEAP]["tau"]) > 0.8
    assert (table["synflow"]["tau"], table["synflow"]["networks"]) == ("", "0")
    assert table["x0.25 14px 2x300"]["tau_first_epoch"] == table["x0.25 14px 2x300"]["tau"]
    result = json.loads((run / "result.json").read_text())
    assert result["recommended"] == CHEAP
    assert len(rows_of(run / "networks.csv")) == len(result["reference"]["accuracies"]) == 10
    search = cli.parse(SearchConfig, ["--config", str(run / "proxy.yaml")], prog="search", description="")
    assert search.proxy == Proxy(width=0.125, resolution=14, images=300, epochs=1)
    assert (search.target_value, search.space, search.resolution) == (20_000_000, "small", 28)
    repeated = cli.parse(ProxyConfig, ["--config", str(run / "config.yaml")], prog="proxy", description="")
    assert repeated == cli.parse(ProxyConfig, words, prog="proxy", description="")


def test_a_finished_study_is_shown_again_and_grows(
    tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*ONE_PROXY, "--run", str(tmp_path / "run")]
    command(words)
    before = list(command.trained)
    assert len(before) == 30
    capsys.readouterr()
    assert command(words) == 0
    assert (tmp_path / "run" / REPORT).read_text() in capsys.readouterr().out
    assert command.trained == before
    # More networks and another reference seed: what is there stays.
    assert command([*words, "--networks", "11", "--against-seeds", "2"]) == 0
    assert not set(before) & set(command.trained[30:])
    assert len(command.trained) - 30 == 1 + (1 + 11) + 1
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["reference"]["agreement_with_itself"]["n"] == 11
    # What decides on trainings may not change.
    assert command([*words, "--against.epochs", "3"]) == 2
    assert "against.epochs=2, now 3" in capsys.readouterr().err


def test_where_none_can_be_trusted_none_is_recommended(tmp_path: Path, command: Command) -> None:
    def evaluate(job: Job) -> Iterator[Rung]:
        key = Arch.from_json(job["arch"]).key
        part = key[:6] if job["phase"] == "reference" else key[6:12]
        yield {"step": 1, "accuracy": accuracy_of(part), "loss": 1.0, "seconds": 1.0}

    run = tmp_path / "run"
    assert command([*ONE_PROXY, "--run", str(run)], evaluate) == 0
    assert not (run / "proxy.yaml").exists()
    assert json.loads((run / "result.json").read_text())["recommended"] is None


def test_diverged_trainings_rank_last_and_failed_ones_are_left_out(tmp_path: Path, command: Command) -> None:
    turn = {"reference": 0}

    def evaluate(job: Job) -> Iterator[Rung]:
        turn[job["phase"]] = turn.get(job["phase"], 0) + 1
        if job["phase"] == "reference" and turn["reference"] == 2:
            raise MemoryError
        accuracy = math.nan if turn[job["phase"]] == 1 else turn[job["phase"]] / 100
        yield {"step": 1, "accuracy": accuracy, "loss": 1.0, "seconds": 1.0}

    run = tmp_path / "run"
    assert command([*ONE_PROXY, "--run", str(run)], evaluate) == 0
    assert json.loads((run / "result.json").read_text())["trainings_without_accuracy"] == {"reference": 1}
    first, second, third, *_ = rows_of(run / "networks.csv")
    assert (first["reference"], second["reference"], third["reference"]) == ("0.0", "", "0.03")
    assert {line["networks"] for line in rows_of(run / "proxies.csv") if line["kind"] == "proxy"} == {"9"}


def test_a_budget_that_is_over_leaves_the_rest_for_the_same_command(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(0, 1000, 40))
    run = tmp_path / "run"
    words = [*WORDS, "--run", str(run), "--time-budget"]
    with monkeypatch.context() as patch:
        # The clock is looked at before each phase: 40 s of 100 are over, then 80, then all.
        patch.setattr("nas.proxy.run.time", SimpleNamespace(monotonic=lambda: float(next(now))))
        assert command([*words, "100"]) == 0
    assert {kind for kind, _, _ in command.trained} == {"measures", "reference"}
    assert json.loads((run / "result.json").read_text())["recommended"] is None
    assert json.loads((run / "manifest.json").read_text())["status"] == "interrupted"
    assert command([*words, "100h"]) == 0
    assert len(command.trained) == len(set(command.trained)) == 60
    assert json.loads((run / "result.json").read_text())["recommended"] == CHEAP


def test_the_plan_trains_nothing(tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command([*WORDS, "--dry-run", "--run", str(tmp_path / "run")]) == 0
    assert capsys.readouterr().out == (Path(__file__).parent / "plan.txt").read_text()
    assert not command.trained
    assert not (tmp_path / "run").exists()


def test_the_plan_counts_what_the_study_trains(
    tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bundled images are 8000 to train on: 9000 is as good as all of them, which the reference's 1000 are not."""
    more = "--networks 8 --widths 0.25 --resolutions 28 --images 500 0 9000 --epochs 1"
    words = [*WORDS, *more.split(), "--run", str(tmp_path / "run")]
    assert command([*words, "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    # 8 networks by the reference and 2 different proxies, and 8 by zero-cost proxies.
    assert ["24", "8"] in [values(line) for line in lines]
    # 500 of the reference's 1000 images, for one of its two epochs.
    assert "  x0.25 28px 1x500  25.0%" in lines
    assert lines[-1].endswith(": x0.25 28px 1xall")
    assert command(words) == 0
    assert len([kind for kind, _, _ in command.trained if kind != "measures"]) == 24


@pytest.mark.slow
def test_real_trainings_of_real_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    words = "--networks 8 --against.width 0.125 --against.images 64 --against.epochs 1 --widths 0.125 --images 32"
    more = "--resolutions 8 --epochs 1"
    assert cli.run(proxy.main, [*WORDS, *words.split(), *more.split(), "--run", str(run)]) == 0
    table = {line["name"]: line for line in rows_of(run / "proxies.csv")}
    assert set(table) == {"MACs", "params", *ZERO_COST_PROXIES, "x0.125 8px 1x32"}
    assert all(line["networks"] == "8" for line in table.values())
    assert all(float(line["seconds"]) > 0 for line in table.values() if line["kind"] != "cost")
    assert not list(run.rglob("*.ckpt"))
