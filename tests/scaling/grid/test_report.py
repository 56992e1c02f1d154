"""What the command prints of a grid that is made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from scaling.grid.config import GridConfig
from scaling.grid.plan import GridPlan, prepare
from scaling.grid.report import describe_plan, report
from scaling.grid.run import GridResult
from studies.workers.config import WorkersConfig

MakeResult = Callable[..., GridResult]


def recorded(name: str) -> str:
    return Path(__file__).with_name(name).read_text()


def warnings(text: str) -> int:
    return sum(line.startswith("warning: ") for line in text.splitlines())


def test_the_report_is_as_recorded(plan: GridPlan, make_result: MakeResult) -> None:
    assert report(make_result(plan, 2), Path("runs/grid")) + "\n" == recorded("report.txt")


def test_the_plan_is_as_recorded(plan: GridPlan) -> None:
    assert describe_plan(replace(plan, resources=None)) + "\n" == recorded("plan.txt")


def test_networks_that_failed_are_counted(plan: GridPlan, make_result: MakeResult, tmp_path: Path) -> None:
    result = make_result(plan, 2)
    lost = plan.grid.networks[0].arch.key
    kept = {key: values for key, values in result.accuracies.items() if key != lost}
    text = report(GridResult(plan, result.analysis, result.choice, kept), tmp_path)
    assert warnings(text) == warnings(report(result, tmp_path)) + 1


def test_a_paper_network_beyond_the_images_is_a_warning(make_result: MakeResult, tmp_path: Path) -> None:
    """Without growth in resolution the proxy has the images' own size; the paper's coefficients go beyond."""
    narrow = prepare(GridConfig(baseline="mobilenet_v2", gamma=(1.0, 1.0), allow_small=True, workers=WorkersConfig(1)))
    wide = prepare(GridConfig(baseline="mobilenet_v2", allow_small=True, workers=WorkersConfig(1)))
    assert warnings(report(make_result(narrow, 2), tmp_path)) == warnings(report(make_result(wide, 2), tmp_path)) + 1
