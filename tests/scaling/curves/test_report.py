"""What the command prints of curves that are made up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from scaling.curves.analysis import analyse
from scaling.curves.plan import CurvesPlan
from scaling.curves.report import report
from scaling.curves.run import CurvesResult

MakeResult = Callable[..., CurvesResult]


def test_the_report_is_as_recorded(plan: CurvesPlan, make_result: MakeResult) -> None:
    result = make_result(plan, points=[point for point in plan.points if point.curve != "fast"])
    text = report(result, analyse(result), Path("runs/curves"))
    assert text + "\n" == Path(__file__).with_name("report.txt").read_text()
