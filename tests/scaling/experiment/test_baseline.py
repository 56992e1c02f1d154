"""Networks of every kind as baselines: families, curves and grids are planned from them as from EfficientNet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import search_spaces as ss
from scaling.curves import plan
from scaling.curves.config import CurvesConfig
from scaling.family.__main__ import main
from scaling.grid import plan as grid_plan
from scaling.grid.config import GridConfig
from search_spaces.common import cli
from search_spaces.resizing.compound import PAPER, realised, scale
from search_spaces.resizing.matching import TOLERANCE, solve
from search_spaces.resizing.registry import STRATEGIES, get_strategy
from studies.workers.config import WorkersConfig

BASELINES = ("efficientnetv2_b0", "efficientnetv2_s", "mobilenet_v1", "resnet18", "resnet50")


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_meets_twice_the_cost(name: str, strategy: str) -> None:
    arch = ss.get(name)
    found = solve(arch, get_strategy(strategy), 2 * ss.cost(arch).macs)
    # MobileNetV1 has 13 layers, each of them 6 % of its cost.
    assert abs(found.miss) <= (0.03 if strategy == "depth" else TOLERANCE)
    assert bool(found.arch.head) == bool(arch.head)
    assert ss.cost(found.arch).macs == found.macs


@pytest.mark.parametrize("name", BASELINES)
def test_the_operators_stay_what_they_are(name: str) -> None:
    arch = ss.get(name)
    grown = scale(arch, PAPER, 2)
    assert [(stage.op, stage.expansion, stage.skip) for stage in grown.stages] == [
        (stage.op, stage.expansion, stage.skip) for stage in arch.stages
    ]
    assert (grown.stem_kernel, grown.stem_pool, grown.head > 0) == (arch.stem_kernel, arch.stem_pool, arch.head > 0)
    assert realised(grown, arch).width == pytest.approx(1.21, rel=0.04)


@pytest.mark.parametrize("name", BASELINES)
def test_curves_and_grids_are_planned_from_them(name: str) -> None:
    curves = plan.prepare(CurvesConfig(baseline=name, workers=WorkersConfig(1), strategies=("width", "compound")))
    assert curves.baseline.trained.total_stride == 4  # 20 px to a map of 5
    assert re.search(r"proxy .*0\.25 at 20 px", curves.baseline.describe())
    assert {place.curve for place in curves.points} == {"baseline", "width", "compound"}
    grid = grid_plan.prepare(GridConfig(baseline=name, workers=WorkersConfig(1)))
    assert len(grid.grid.networks) > 3


@pytest.mark.parametrize("name", ["mobilenet_v1", "resnet50"])
def test_families_of_networks_without_a_head(name: str, tmp_path: Path) -> None:
    out = tmp_path / "family"
    words = ["--coefficients", "1.2,1.1,1.15", "--baseline", name, "--phi", "0", "1", "--out", str(out)]
    assert cli.run(main, words) == 0
    assert ss.Arch.load(out / "phi-0.json").key == ss.get(name).key
    assert ss.Arch.load(out / "phi-1.json").key == scale(ss.get(name), PAPER, 1).key


def test_a_network_that_lost_its_head_is_no_scaled_form() -> None:
    b0 = ss.get("efficientnet_b0")
    with pytest.raises(ValueError, match="head.* 0 .*1280"):
        realised(b0.replace(head=0), b0)
