"""A benchmark's run folder: which folders it refuses, and that the same command resumes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from nas.benchmark import __main__ as benchmark
from nas.benchmark import files
from nas.benchmark.objective import TableObjective
from nas.benchmark.optimizers import make_optimizer
from nas.benchmark.simulate import Optimizer
from search_spaces.common import cli
from tests.texts import values


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """A benchmark of eight short searches in one process."""
    rows = [f"{a},{b},{80 + a * b},{100 * a}" for a, b in product(range(1, 6), repeat=2)]
    (tmp_path / "table.csv").write_text("\n".join(["a,b,accuracy,macs", *rows]))
    settings = "--macs macs --samplers random evolution --scores accuracy hard50 --trials 20 --seeds 2 --workers 1"
    return ["--table", f"csv:{tmp_path / 'table.csv'}", *settings.split(), "--run", str(tmp_path / "run")]


def results(run: Path) -> Any:
    """What came out, but for the seconds."""
    found = json.loads((run / "results.json").read_text())["results"]
    return [{name: value for name, value in row.items() if "seconds" not in name} for row in found]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch, words: list[str], tmp_path: Path) -> Path:
    """A run folder that Ctrl-C ended in the sixth search. Four are of checks before anything is searched."""
    made: list[str] = []

    def make(sampler: str, objective: TableObjective, trials: int, seed: int) -> Optimizer:
        made.append(sampler)
        if len(made) == 4 + 6:
            raise KeyboardInterrupt
        return make_optimizer(sampler, objective, trials, seed)

    with monkeypatch.context() as patch:
        patch.setattr("nas.benchmark.optimizers.make_optimizer", make)
        # The program is the same: only this test's way to end it differs.
        patch.setattr(files.inspect, "getfile", lambda _: make_optimizer.__code__.co_filename)
        assert cli.run(benchmark.main, words) == cli.INTERRUPTED
    return tmp_path / "run"


def test_the_same_command_goes_on_where_it_was_ended(
    ended: Path, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert [path.name for path in ended.iterdir()] == ["searches.jsonl"]
    with (ended / "searches.jsonl").open("a") as file:
        file.write('{"sampler": "evol')  # as if it was killed while it wrote
    assert cli.run(benchmark.main, words) == 0
    assert ["5", "8"] in [values(line) for line in capsys.readouterr().out.splitlines()]
    assert cli.run(benchmark.main, [*words, "--run", str(tmp_path / "whole")]) == 0
    assert results(ended) == results(tmp_path / "whole")
    # What is finished is no beginning: the same command now searches anew.
    assert {path.name for path in ended.iterdir()} == {
        "config.yaml", "results.json", "curves.csv", "regret.svg", "report.txt"
    }  # fmt: skip
    assert cli.run(benchmark.main, words) == 0
    assert "earlier command" not in capsys.readouterr().out


def test_more_searches_of_the_same_kind_join_those_that_are_there(
    ended: Path, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    more = [*words, "--samplers", "evolution", "random", "--scores", "hard50", "--seeds", "3"]
    assert cli.run(benchmark.main, more) == 0
    assert ["2", "6"] in [values(line) for line in capsys.readouterr().out.splitlines()]
    assert cli.run(benchmark.main, [*more, "--run", str(tmp_path / "whole")]) == 0
    assert results(ended) == results(tmp_path / "whole")


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--trials", "21"], "trials=20, now 21"),
        (["--free-repeats"], "free_repeats=false, now true"),
        (["--cost-band", "100", "300"], "cost_band"),
    ],
)
def test_unfinished_searches_of_other_settings_are_not_mixed_in(
    ended: Path, words: list[str], capsys: pytest.CaptureFixture[str], extra: list[str], message: str
):
    before = (ended / "searches.jsonl").read_bytes()
    assert cli.run(benchmark.main, [*words, *extra]) == 2
    error = capsys.readouterr().err
    assert "--run" in error
    assert message in error
    assert error.count("\n") == 1
    assert (ended / "searches.jsonl").read_bytes() == before
    assert cli.run(benchmark.main, [*words, *extra, "--new"]) == 0
    assert "earlier command" not in capsys.readouterr().out


def test_searches_on_another_table_are_not_mixed_in(ended: Path, words: list[str], capsys: pytest.CaptureFixture[str]):
    table = ended.parent / "table.csv"
    table.write_text(table.read_text().replace("1,1,81,", "1,1,82,"))
    assert cli.run(benchmark.main, words) == 2
    assert "contents" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("there", "message"),
    [
        ({"manifest.json": "{}", "config.yaml": "table: x\nsamplers: []\nscores: []\n"}, "holds no benchmark"),
        ({"ledger.db": "", "searches.jsonl": ""}, "holds no benchmark"),
        ({"config.yaml": "target_flops: 400M\nsampler: tpe\n"}, "holds no benchmark"),
        ({"notes.txt": "mine"}, "holds no benchmark"),
        ({"searches.jsonl": '{"trials": 20}\n[1]\n'}, "--new"),
    ],
)
def test_folders_of_others_are_left_alone(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str], there: dict[str, str], message: str
):
    run = tmp_path / "run"
    run.mkdir()
    for name, text in there.items():
        (run / name).write_text(text)
    assert cli.run(benchmark.main, words) == 2
    output = capsys.readouterr()
    assert message in output.err
    assert not output.out
    assert {path.name: path.read_text() for path in run.iterdir()} == there


@pytest.mark.parametrize("name", ["table.csv", "table.csv/run", "/proc/x"])
def test_a_folder_that_cannot_be_is_told_before_anything_is_searched(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str], name: str
):
    assert cli.run(benchmark.main, [*words, "--run", str(tmp_path / name)]) == 2
    output = capsys.readouterr()
    assert output.err.startswith(("error: run folder", "error: cannot write to run folder"))
    assert output.err.count("\n") == 1
    assert not output.out


def test_one_command_at_a_time_writes_to_a_folder(tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]):
    with files.opened(tmp_path / "run", {}):
        assert cli.run(benchmark.main, words) == 2
    assert str(tmp_path / "run") in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
def test_ctrl_c_and_a_killed_command_leave_no_process(words: list[str], tmp_path: Path, kind: signal.Signals):
    """Ctrl-C as a terminal sends it, to the whole process group, while both workers search."""
    searches = tmp_path / "run" / "searches.jsonl"
    command = [sys.executable, "-m", "nas.benchmark", *words, "--workers", "2", "--seeds", "5000"]
    root = Path(__file__).parents[3]
    started = subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        until(lambda: searches.exists() and searches.read_text().count("\n") > 2)
        if kind is signal.SIGINT:
            os.killpg(started.pid, kind)
        else:
            started.kill()
        _, error = started.communicate(timeout=120)
        if kind is signal.SIGINT:
            assert started.returncode == cli.INTERRUPTED
            assert error == "interrupted\n"
        until(lambda: not alive(started.pid))
    finally:
        if alive(started.pid):
            os.killpg(started.pid, signal.SIGKILL)
    assert not (tmp_path / "run" / "results.json").exists()


def alive(group: int) -> bool:
    """Whether a process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def until(holds: Any) -> None:
    """Wait until something holds; what never does fails."""
    for _ in range(1200):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("it never held")
