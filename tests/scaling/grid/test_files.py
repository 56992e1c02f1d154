"""The files of a grid agree with the result that they were made of."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from scaling.coefficients_file import read
from scaling.grid.config import GridConfig
from scaling.grid.files import found, write_files
from scaling.grid.plan import GridPlan, prepare
from scaling.grid.run import GridResult
from search_spaces.networks.arch import Arch
from search_spaces.resizing.rounding import Rounding
from studies.runs.folder import RunFolder
from studies.workers.config import WorkersConfig

MakeResult = Callable[..., GridResult]


def test_the_files_are_plain_json_and_csv_even_with_one_seed(
    plan: GridPlan, make_result: MakeResult, tmp_path: Path
) -> None:
    result = make_result(plan, 1, with_paper=False)
    with RunFolder.open(tmp_path / "run", {}) as run:
        write_files(result, run)

    def refuse(name: str) -> NoReturn:
        raise AssertionError(f"{name} is no JSON")

    values = json.loads((tmp_path / "run" / "coefficients.json").read_text(), parse_constant=refuse)
    best = result.analysis.best
    assert values["networks"][0]["accuracy"] == {"value": best.mean.value, "low": None, "high": None, "n": 1}
    assert values["grid"]["networks"] == 26
    assert values["choice"]["against_paper"] is None
    again = read(tmp_path / "run" / "coefficients.json")
    assert again.coefficients == best.network.coefficients == found(result).coefficients
    assert again.baseline == plan.baseline.original
    assert Arch.load(tmp_path / "run" / "choice.json") == best.network.arch
    lines = (tmp_path / "run" / "networks.csv").read_text().splitlines()
    assert len(lines) == 1 + 26
    assert "inf" not in lines[1]


def test_a_proxys_rounding_is_not_the_whole_networks(make_result: MakeResult) -> None:
    plan = prepare(GridConfig(baseline="mobilenet_v2", workers=WorkersConfig(1)))
    assert plan.rounding != Rounding()
    result = found(make_result(plan, 2))
    assert result.rounding == Rounding()
    assert result.baseline.name == "mobilenet_v2"
    assert result.data["trained_baseline"]["key"] == plan.baseline.trained.key
