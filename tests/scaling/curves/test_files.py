"""The files of curves agree with the result that they were made of."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from scaling.curves.analysis import analyse
from scaling.curves.files import write_files
from scaling.curves.plan import CurvesPlan
from scaling.curves.run import CurvesResult
from studies.runs.folder import RunFolder

MakeResult = Callable[..., CurvesResult]


def test_the_files_are_plain_and_agree(plan: CurvesPlan, make_result: MakeResult, tmp_path: Path) -> None:
    result = make_result(plan, seeds=1)
    with RunFolder.open(tmp_path / "run", {}) as run:
        write_files(result, analyse(result), run)

    def refuse(name: str) -> NoReturn:
        raise AssertionError(f"{name} is no JSON")

    data = json.loads((tmp_path / "run" / "curves.json").read_text(), parse_constant=refuse)
    assert data["main"] is None
    assert (data["multiple"], data["pixels"], data["compound"]) == (4.0, 28, "compound")
    table = list(csv.DictReader(io.StringIO((tmp_path / "run" / "curves.csv").read_text())))
    assert [row["curve"] for row in table] == [point.curve for point in plan.points]
    assert [float(row["test_accuracy"]) for row in table] == [one.test[0] for one in result.points]
    assert {row["upsampled"] for row in table if row["curve"] != "resolution"} == {"False"}
    assert all(int(row["macs"]) == point.macs for row, point in zip(table, plan.points, strict=True))
