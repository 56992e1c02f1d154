"""Mistakes in the settings of a grid and of curves are one line, and nothing is started or written."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from scaling.coefficients_file import Found
from scaling.curves import __main__ as curves
from scaling.curves import config as curves_config
from scaling.curves.config import CurvesConfig
from scaling.grid import __main__ as grid
from scaling.grid import config as grid_config
from scaling.grid.config import GridConfig
from search_spaces.common import cli
from search_spaces.common.settings import settings_of, value_at
from search_spaces.resizing.compound import PAPER
from search_spaces.resizing.rounding import Rounding
from search_spaces.zoo import registry as catalog
from studies.runs.command import open_run
from studies.workers.config import WorkersConfig

SHARED = [
    (["--dataset", "cifra10"], "'cifar10'"),
    (["--dataset", "imagefolder:/no/such/folder"], "/no/such/folder"),
    (["--baseline", "efficientnet-b0"], "'efficientnet_b0'"),
    (["--baseline", "efficientnet_b0", "--resolution", "16"], "stride of 32"),
    (["--recipe", "qick"], "'quick'"),
    (["--recipe", "efficientnetv2_s", "--epochs", "3"], "--epochs"),
    (["--seeds", "0"], "--seeds"),
    (["--epochs", "0"], "--epochs"),
    (["--workers", "100000"], "--workers"),
    (["--gpus-per-trial", "512"], "--gpus-per-trial"),
    (["--ray-address", "127.0.0.1:1"], "127.0.0.1:1"),
    (["--proxy.width", "-1"], "--proxy.width"),
    (["--rounding.divisor", "-8"], "--rounding.divisor"),
    (["--sedes", "3"], "'--seeds'"),
    (["--lr-factors", "1", "0.5"], "--lr-per-network"),
    (["--lr-per-network", "--lr-factors", "0.3", "0.1"], "--lr-factors"),
    (["--lr-per-network", "--lr-factors", "1"], "--lr-factors"),
    (["--lr-per-network", "--lr-factors", "1", "0"], "--lr-factors"),
    (["--lr-per-network", "--lr-factors", "1", "nan"], "--lr-factors"),
    (["--lr-per-network", "--lr-factors", "1", "0.3", "0.3"], "--lr-factors"),
]
OF_GRIDS = [
    (["--phi", "0"], "--phi"),
    (["--phi", "-1"], "--phi"),
    (["--phi", "3000"], "--phi"),
    (["--phi", "nan"], "--phi"),
    (["--step", "2"], "--step"),
    (["--step", "0.0001"], "--step"),
    (["--alpha", "0.5", "2"], "--alpha"),
    (["--max-flops", "1"], "--proxy.resolution"),
    (["--max-flops", "lots"], "--max-flops"),
    (["--max-flops", "0"], "--max-flops"),
    (["--max-memory", "1KiB"], "--proxy.resolution"),
    (["--max-memory", "lots"], "--max-memory"),
    (["--max-params", "lots"], "--max-params"),
    (["--max-params", "61K"], "--max-params"),
    (["--limits", "params"], "--limits"),
    (["--limits", "parms=5M"], "params"),
    (["--limits", "params=5M", "--max-params", "5M"], "params"),
    (["--limits", "inference_memory=1KiB"], "--limits inference_memory=VALUE"),
    (["--max-memory", "0B"], "--max-memory"),
    (["--proxy.resolution", "64"], "28 px"),
    (["--alpha", "1", "1"], "--allow-small"),
    (["--scheduler", "asah"], "'asah'"),
    (["--scheduler", "asha", "--lr-per-network"], "--scheduler none"),
    (["--choice-seeds", "0"], "--choice-seeds"),
    (["--batch-size", "0"], "--batch-size"),
]
OF_CURVES = [
    (["--multiples", "0"], "--multiples"),
    (["--multiples", "2", "-1"], "--multiples"),
    (["--multiples", "1e300"], "--multiples"),
    (["--multiples", "2", "2"], "--multiples"),
    (["--strategies", "depht"], "'depth'"),
    (["--strategies", "depth", "depth"], "--strategies"),
    (["--coefficients", "/no/such/file.json"], "/no/such/file.json"),
    (["--main-seeds", "-1"], "--main-seeds"),
    (["--runs", "0"], "--runs"),
    (["--most", "0.5"], "--most"),
]
MISTAKES = [
    *((module, words, named) for module in (grid, curves) for words, named in SHARED),
    *((grid, words, named) for words, named in OF_GRIDS),
    *((curves, words, named) for words, named in OF_CURVES),
]


def refusal(module: ModuleType, words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that the command ends with."""
    assert cli.run(module.main, words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize(("module", "words", "named"), MISTAKES)
def test_mistakes_are_one_line_and_write_nothing(
    module: ModuleType, words: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert named in refusal(module, [*words, "--run", str(run)], capsys)
    assert not run.exists()


@pytest.mark.parametrize("module", [grid, curves])
def test_a_baseline_file_that_is_no_arch_is_refused(
    module: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.json").write_text('{"stages": []}')
    line = refusal(module, ["--baseline", str(tmp_path / "x.json"), "--run", str(tmp_path / "run")], capsys)
    assert "x.json" in line


def test_coefficients_below_1_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.json"
    values = json.loads(Found(PAPER, catalog.get("mobilenet_v2"), Rounding()).to_json())
    values["coefficients"]["beta"] = 0.9
    path.write_text(json.dumps(values))
    line = refusal(curves, ["--coefficients", str(path), "--run", str(tmp_path / "run")], capsys)
    assert str(path) in line
    assert "beta" in line
    assert not (tmp_path / "run").exists()


def test_nothing_to_train_is_refused() -> None:
    with pytest.raises(ValueError, match="--strategies"):
        CurvesConfig(strategies=())
    with pytest.raises(ValueError, match="--multiples"):
        CurvesConfig(multiples=())
    assert CurvesConfig(strategies=(), raw=True).raw


@pytest.mark.parametrize(
    ("module", "config", "change", "named"),
    [
        (grid, GridConfig(), ["--phi", "2"], "phi"),
        (grid, GridConfig(), ["--step", "0.05"], "step"),
        (grid, GridConfig(), ["--lr-per-network"], "lr_per_network"),
        (curves, CurvesConfig(), ["--lr-per-network"], "lr_per_network"),
        (curves, CurvesConfig(), ["--images", "100"], "images"),
    ],
)
def test_a_run_folder_of_another_run_is_refused(
    module: ModuleType,
    config: GridConfig | CurvesConfig,
    change: list[str],
    named: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = tmp_path / "x"
    config = dataclasses.replace(config, run=str(run))
    with open_run(run, config.settings(), "scaling.x", seed=0, new=False, resumable=()):
        pass
    assert named in refusal(module, [*change, "--run", str(run)], capsys)
    assert "ledger.db" not in {path.name for path in run.iterdir()}


@pytest.mark.parametrize(
    ("module", "config"),
    [
        (
            grid,
            GridConfig(
                phi=2.0,
                gamma=(1.0, 1.3),
                max_memory="8GiB",
                limits=("activations=3M",),
                workers=WorkersConfig(1),
                raw=True,
            ),
        ),
        (curves, CurvesConfig(multiples=(2.0, 8.0), strategies=("depth", "1:1:1"), main_seeds=8)),
        (curves, CurvesConfig(lr_per_network=True, lr_factors=(0.5, 1.0))),
    ],
)
def test_the_written_configuration_gives_the_same_run(
    module: ModuleType, config: GridConfig | CurvesConfig, tmp_path: Path
) -> None:
    (tmp_path / "c.yaml").write_text(cli.to_yaml(config))
    again = cli.parse(type(config), ["--config", str(tmp_path / "c.yaml")], prog="", description="")
    assert again == config


def test_what_is_free_is_a_setting_and_no_part_of_the_identity() -> None:
    for config, resumable in ((GridConfig(), grid_config.RESUMABLE), (CurvesConfig(), curves_config.RESUMABLE)):
        known = settings_of(type(config)).values()
        assert {one.name for one in known} | {one.group for one in known} >= resumable
        assert not [name for name in resumable if value_at(config.identity(), name) is not None]
        assert config.identity()["recipe"]["name"] == "quick"
    assert {"phi", "step", "tolerance", "raw", "alpha"} <= GridConfig().identity().keys()


def test_limits_are_read_in_human_units() -> None:
    config = GridConfig(max_flops="2.5M", max_params="70K", max_memory="1GiB", limits=("inference_memory=2MiB",))
    assert config.upper_limits == {
        "macs": 2_500_000, "params": 70_000, "training_memory": 2**30, "inference_memory": 2**21
    }  # fmt: skip
    assert GridConfig().upper_limits == {}
    assert GridConfig(phi=3.0).growth == 8.0


def test_a_limit_written_in_another_way_is_the_same_run() -> None:
    first, second = GridConfig(max_flops="2.5M"), GridConfig(limits=("macs=2500000",))
    assert first.settings() == second.settings()
    assert first.identity() == second.identity() != GridConfig().identity()


@pytest.mark.parametrize("module", ["grid", "curves"])
def test_help_needs_nothing_heavy(module: str) -> None:
    heavy = ("torch", "ray", "optuna", "pandas", "scipy", "matplotlib")
    code = (
        f"import sys\nfrom scaling.{module} import __main__ as {module}\n"
        f"try:\n    {module}.main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"python -m scaling.{module}" in done.stdout
    assert "FLOPs" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(("module", "words"), [(grid, ["--allow-small"]), (curves, ["--multiples", "2"])])
def test_a_dry_run_trains_and_writes_nothing(
    module: ModuleType, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert cli.run(module.main, [*words, "--dry-run", "--seeds", "1", "--run", str(run)]) == 0
    assert "baseline" in capsys.readouterr().out
    assert not run.exists()
