"""The conclusions of curves: read back as they were written, and said only where they hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from scaling.curves.analysis import analyse
from scaling.curves.conclusions import CurvesConclusions, describe_expectation
from scaling.curves.config import FOUND, CurvesConfig
from scaling.curves.plan import CurvesPlan, prepare
from scaling.curves.run import CurvesResult
from studies.data.config import DataConfig
from studies.workers.config import WorkersConfig

MakeResult = Callable[..., CurvesResult]


@pytest.fixture
def no_law(monkeypatch: pytest.MonkeyPatch) -> None:
    """The law takes a second; most conclusions do without."""
    monkeypatch.setattr("scaling.curves.analysis.fit_or_none", lambda rows: None)


def concluded(result: CurvesResult) -> CurvesConclusions:
    return CurvesConclusions.of(analyse(result), result.plan.largest)


def read_back(conclusions: CurvesConclusions) -> CurvesConclusions:
    return CurvesConclusions.of_file(json.loads(json.dumps(conclusions.to_dict())))


def test_the_file_gives_the_conclusions_back(plan: CurvesPlan, make_result: MakeResult) -> None:
    conclusions = concluded(make_result(plan))
    again = read_back(conclusions)
    assert again.describe_main() == conclusions.describe_main()
    assert again.describe_prediction() == conclusions.describe_prediction()
    assert (again.multiple, again.best_single, again.slope) == (4.0, "width", conclusions.slope)
    assert again.main is not None
    assert conclusions.main is not None
    assert again.main.difference == conclusions.main.difference
    assert {name: one.verdict for name, one in again.against_all.items()} == {
        name: one.verdict for name, one in conclusions.against_all.items()
    }
    assert again.predicted == conclusions.predicted
    assert {one.curve for one in again.predicted} == {"depth", "width", "compound", "fast"}


def test_one_seed_concludes_nothing_and_warns(plan: CurvesPlan, make_result: MakeResult, no_law: None) -> None:
    conclusions = concluded(make_result(plan, seeds=1))
    assert (conclusions.main, dict(conclusions.against_all)) == (None, {})
    assert conclusions.describe_main() == conclusions.describe_prediction() == []
    assert len(conclusions.warnings(1)) == 1
    assert read_back(conclusions).main is None


def test_few_seeds_warn_and_enough_do_not(plan: CurvesPlan, make_result: MakeResult, no_law: None) -> None:
    assert len(concluded(make_result(plan, seeds=3)).warnings(2)) == 1
    assert concluded(make_result(plan, seeds=6)).warnings(2) == []


def test_coefficients_that_grow_one_dimension_say_so(plan: CurvesPlan, make_result: MakeResult, no_law: None) -> None:
    same = [replace(point, curve=FOUND) for point in plan.points if point.curve == "depth"]
    conclusions = concluded(make_result(replace(plan, points=(*plan.points, *same))))
    assert (conclusions.found_alone, conclusions.compound) == ("depth", "compound")
    assert len(conclusions.describe_main()) == 2
    assert read_back(conclusions).found_alone == "depth"


@pytest.mark.parametrize(
    "change",
    [
        {"main": {"difference": None}},
        {"predicted": [{"curve": "depth"}]},
        {"against_all": []},
        {"multiple": None},
        {"loglinear_error": "x"},
    ],
)
def test_broken_files_are_refused(change: dict[str, Any]) -> None:
    values: dict[str, Any] = {
        "multiple": 4.0, "compound": "compound", "found_alone": None, "best_single": None, "main": None,
        "against_all": {}, "found_against_paper": None, "accuracy_per_doubling": 0.03, "predicted": [],
        "loglinear_error": None,
    }  # fmt: skip
    assert CurvesConclusions.of_file(values).describe_main() == []
    with pytest.raises(ValueError):  # noqa: PT011 (any line will do)
        CurvesConclusions.of_file(values | change)


def test_the_law_expects_something_of_larger_networks_only_within_the_images(make_result: MakeResult) -> None:
    """Resolution alone, up to the images' own: twice the largest cost lies beyond them."""
    config = CurvesConfig(
        baseline="mobilenet_v2", workers=WorkersConfig(1), seeds=2, main_seeds=2, data=DataConfig("cifar10"),
        strategies=("resolution",), multiples=(1.3, 1.6, 1.9, 2.2, 2.5, 3.0, 4.0),
    )  # fmt: skip
    plan = prepare(config)
    law = analyse(make_result(plan, seeds=2)).law
    assert law is not None
    limit = plan.baseline.pixels / plan.baseline.trained.resolution
    assert describe_expectation(law, 8.0, limit) == []
    assert len(describe_expectation(law, 8.0, 3.0)) == 2


def test_shrunken_networks_have_an_expectation_too(make_result: MakeResult) -> None:
    """Twice half the baseline's cost is the baseline's: what is never trained begins beyond it."""
    plan = prepare(CurvesConfig(workers=WorkersConfig(1), seeds=2, main_seeds=2, multiples=(0.5,)))
    law = analyse(make_result(plan, seeds=2)).law
    assert law is not None
    assert describe_expectation(law, 2.0, 2.0)


def test_a_gain_over_more_pixels_than_the_images_have_says_so(plan: CurvesPlan, make_result: MakeResult) -> None:
    law = analyse(make_result(plan)).law
    assert law is not None
    assert any("x2.83 the pixels" in line for line in describe_expectation(law, 8.0, 2.0))
    assert not any("the pixels" in line for line in describe_expectation(law, 4.0, 2.0))
