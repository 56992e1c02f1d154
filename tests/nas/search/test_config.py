"""One configuration, three doors; mistakes are refused before anything is started or written."""

from __future__ import annotations

import dataclasses
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nas.search import __main__ as search
from nas.search.config import RESUMABLE, FinalistConfig, ObjectiveConfig, SearchConfig
from search_spaces.common import cli
from search_spaces.common.settings import settings_of
from studies.runs.command import REPORT, open_run
from studies.runs.folder import Status

SECRET = "postgresql://me:secret@host/db"


def refusal(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that the command ends with."""
    assert cli.run(search.main, words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--space", "mnasent"], "unknown space 'mnasent': did you mean 'mnasnet'?"),
        (["--dataset", "cifra10"], "unknown dataset 'cifra10': did you mean 'cifar10'?"),
        (["--sampler", "tpee"], "unknown sampler 'tpee': did you mean 'tpe'?"),
        (["--objective", "sfot"], "unknown objective 'sfot': did you mean 'soft'?"),
        (["--recipe", "qick"], "unknown recipe 'qick': did you mean 'quick'?"),
        (["--recipe", "efficientnetv2_s", "--proxy.epochs", "3"], "--proxy.epochs"),
        (["--recipe", "efficientnetv2_s", "--proxy.epochs", "4"], "--finalist.epochs"),
        (
            ["--recipe", "efficientnetv2_m", "--proxy.epochs", "4", "--finalist.epochs", "4"],
            "--proxy.resolution 28",
        ),
        (["--reference", "mobilenetv2"], "unknown reference 'mobilenetv2': did you mean 'mobilenet_v2'?"),
        (["--scheduler", "asah"], "unknown scheduler 'asah': did you mean 'asha'?"),
        (["--target-flops", "lots"], "'lots'"),
        (["--target-flops", "-400M"], "'-400M'"),
        (["--target-flops", "5G"], "42.4M and 1.53G"),
        (["--sampler", "tpe", "--trials", "9"], "sampler tpe starts with 10 trials"),
        (["--sampler", "ppo", "--objective", "pareto"], "sampler ppo"),
        (["--trials", "0"], "--trials"),
        (["--finalists", "5", "--trials", "4"], "--finalists"),
        (["--time-budget", "soon"], "'soon'"),
        (["--cost-band", "1.1", "0.9"], "--cost-band"),
        (["--cost-band", "3.9", "4"], "--cost-band 3.9 4"),
        (["--proxy.width", "0"], "--proxy.width"),
        (["--proxy.width", "1e9"], "--proxy.width must be at most 16"),
        (["--reduction-factor", "4", "--scheduler", "none"], "(--scheduler none)"),
        (["--reduction-factor", "4", "--proxy.epochs", "1"], "(--proxy.epochs 1)"),
        (["--reduction-factor", "4", "--objective", "pareto"], "(--objective pareto)"),
        (["--proxy.resolution", "2"], "--proxy.resolution"),
        (["--proxy.resolution", "0"], "--proxy.resolution"),
        (["--proxy.images", "-1"], "--proxy.images"),
        (["--proxy.epochs", "0"], "--proxy.epochs"),
        (["--proxy.min-map", "0"], "--proxy.min-map"),
        (["--proxy.divisor", "-4"], "--proxy.divisor"),
        (["--dataset", "imagefolder:/no/such/folder"], "/no/such/folder"),
        (["--workers", "100000"], "--workers 100000"),
        (["--gpus-per-trial", "512"], "--gpus-per-trial 512"),
        (["--new", "--storage", "sqlite:///x.db"], "--storage"),
        (
            ["--space", "small", "--target-flops", "60M", "--reference", "mnasnet_a1"],
            "--reference",
        ),
        (["--space", "efficientnetv2", "--target-flops", "200M"], "373M"),
        (["--space", "efficientnetv2", "--reference", "efficientnet_b5"], "unknown reference 'efficientnet_b5'"),
        (["--step-times", "layer"], "unknown --step-times 'layer': did you mean 'layers'?"),
        (["--step-batch", "-1"], "--step-batch"),
        (["--params-weight", "0.05"], "--params-weight"),
        (["--step-batch", "8"], "--step-batch is not used by --objective soft"),
        (["--objective", "pareto", "--params-weight", "-0.1"], "--params-weight is not used by --objective pareto"),
        (["--objective", "hard", "--step-times", "layers"], "--step-times is not used by --objective hard"),
        (
            ["--objective", "accuracy", "--weight", "-0.1"],
            "--weight is not used by --objective accuracy",
        ),
        (["--objective", "training-aware", "--step-batch", "1000000"], "--step-batch 1000000"),
        (["--ray-address", "127.0.0.1:1"], "127.0.0.1:1"),
        (["--retries", "-1"], "--retries"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(
    words: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run = tmp_path / "run"
    assert named in refusal([*words, "--run", str(run)], capsys)
    assert not run.exists()


@pytest.mark.parametrize(
    ("objective", "settings"),
    [
        ("soft", {"weight": -0.1}),
        ("pareto", {"weight": -0.1}),
        ("training-aware", {"weight": -0.1, "params_weight": -0.1, "step_times": "layers", "step_batch": 8}),
    ],
)
def test_an_objective_takes_the_settings_it_uses(objective: str, settings: dict[str, Any]):
    config = SearchConfig(objective=ObjectiveConfig(objective, **settings))
    assert settings.items() <= config.identity()["objective"].items()


def test_an_empty_image_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "images" / "train" / "cats").mkdir(parents=True)
    words = ["--dataset", f"imagefolder:{tmp_path / 'images'}", "--run", str(tmp_path / "run")]
    assert str(tmp_path / "images") in refusal(words, capsys)


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to look like a file", b"SQLite format 3\x00"]
)
def test_a_corrupt_ledger_is_refused_and_left_as_it_is(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run = tmp_path / "run"
    run.mkdir()
    (run / "ledger.db").write_bytes(content)
    assert "ledger" in refusal(["--run", str(run)], capsys)
    assert [path.name for path in run.iterdir()] == ["ledger.db"]
    assert (run / "ledger.db").read_bytes() == content


def test_another_programs_database_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    run = tmp_path / "run"
    run.mkdir()
    with sqlite3.connect(run / "ledger.db") as database:
        database.execute("CREATE TABLE songs (title TEXT)")
    assert str(run) in refusal(["--run", str(run)], capsys)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "thesis.tex").write_text("years of work")
    assert str(tmp_path) in refusal(["--run", str(tmp_path)], capsys)


def test_an_unwritable_run_folder_is_refused(capsys: pytest.CaptureFixture[str]):
    assert "/proc/run" in refusal(["--run", "/proc/run"], capsys)


def test_an_unknown_key_of_a_file_names_the_near_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "c.yaml").write_text("trails: 5\n")
    assert "'trials'" in refusal(["--config", str(tmp_path / "c.yaml")], capsys)


def test_the_written_configuration_gives_the_same_search(tmp_path: Path):
    config = SearchConfig(target_flops="300M", cost_band=(0.9, 1.0), trials=9, finalist=FinalistConfig(2))
    (tmp_path / "c.yaml").write_text(cli.to_yaml(config))
    again = cli.parse(SearchConfig, ["--config", str(tmp_path / "c.yaml")], prog="", description="")
    assert again == config


def test_every_free_setting_is_one():
    known = settings_of(SearchConfig).values()
    assert {one.name for one in known} | {one.group for one in known} >= RESUMABLE
    assert "proxy" in SearchConfig().identity()
    assert "workers" not in SearchConfig().identity()


def old_run(folder: Path, status: Status, **settings: Any) -> SearchConfig:
    """A run folder with a report, as a search of these settings leaves it."""
    config = SearchConfig(run=str(folder), **settings)
    with open_run(folder, config.settings(), "nas.search", seed=config.seed, new=False, resumable=RESUMABLE) as run:
        run.write(REPORT, "the report\n")
        run.status = status
    return config


def test_a_finished_run_is_shown_again_also_to_who_asks_for_less(tmp_path: Path):
    config = old_run(tmp_path / "x", Status.FINISHED, trials=64)
    for asked in (config, dataclasses.replace(config, trials=36), dataclasses.replace(config, target_flops="0.4G")):
        assert (search.finished(asked) or "").startswith("the report")


@pytest.mark.parametrize("change", [{"trials": 65}, {"finalist": FinalistConfig(seeds=9)}, {"seed": 1}, {"new": True}])
def test_whatever_asks_for_more_or_for_something_else_is_not_finished(change: dict[str, Any], tmp_path: Path):
    config = old_run(tmp_path / "x", Status.FINISHED, trials=64)
    assert search.finished(dataclasses.replace(config, **change)) is None


def test_a_run_whose_extension_was_interrupted_goes_on(tmp_path: Path):
    config = old_run(tmp_path / "x", Status.INTERRUPTED)
    assert search.finished(config) is None


@pytest.mark.parametrize("words", [["--storage", SECRET], [f"--storage={SECRET}"]])
def test_passwords_stay_out_of_the_manifest(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "argv", ["search", *words])
    old_run(tmp_path / "x", Status.FINISHED)
    text = (tmp_path / "x" / "manifest.json").read_text()
    assert "postgresql://me:***@host/db" in text
    assert "secret" not in text


def test_help_needs_nothing_heavy():
    code = (
        "import sys\nfrom nas.search import __main__ as search\n"
        "try:\n    search.main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('torch', 'ray', 'optuna', 'pandas', 'scipy', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_package_exports_what_it_names():
    import nas

    for name in nas.__all__:
        assert getattr(nas, name).__name__ == name
