"""The analysis of curves whose accuracies are known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from scaling.curves.analysis import CurvesAnalysis, analyse, law_rows
from scaling.curves.config import FOUND
from scaling.curves.plan import CurvesPlan
from scaling.curves.run import CurvesResult
from studies.statistics.comparisons import compare

MakeResult = Callable[..., CurvesResult]


@pytest.fixture(scope="module")
def analysis(plan: CurvesPlan, make_result: MakeResult) -> CurvesAnalysis:
    return analyse(make_result(plan))


def test_contrasts_have_the_right_sign_and_size(analysis: CurvesAnalysis) -> None:
    """At x4, two doublings: compound leads depth by 2 * 4 points, width by 2 * 2."""
    assert analysis.best_single == "width"
    assert analysis.main is not None
    assert analysis.main.verdict == "better"
    assert analysis.main.difference.value == pytest.approx(0.04, abs=0.005)
    assert set(analysis.against_all) == {"depth", "width", "fast"}
    assert analysis.against_all["depth"].difference.value == pytest.approx(0.08, abs=0.005)
    assert analysis.against_all["fast"].difference.value == pytest.approx(0.02, abs=0.005)
    assert {one.comparisons for one in analysis.against_all.values()} == {3}
    assert analysis.paper is None


def test_a_worse_compound_is_worse(plan: CurvesPlan, make_result: MakeResult) -> None:
    result = make_result(plan)
    swapped = {"compound": "width", "width": "compound"}
    points = tuple(
        replace(one, planned=replace(one.planned, curve=swapped.get(one.planned.curve, one.planned.curve)))
        for one in result.points
    )
    found = analyse(CurvesResult(plan, points))
    assert found.main is not None
    assert found.main.verdict == "worse"


def test_differences_from_the_target_are_corrected_by_the_slope(
    plan: CurvesPlan, analysis: CurvesAnalysis, make_result: MakeResult
) -> None:
    fair = [one for one in make_result(plan).points if not one.planned.upsampled]
    x = [math.log2(one.cost.macs) for one in fair]
    y = [float(np.mean(list(one.test.values()))) for one in fair]
    assert analysis.slope == pytest.approx(np.polyfit(x, y, 1)[0])
    for one in fair:
        if one.planned.target is not None and one.planned.multiple == 4:
            miss = analysis.slope * math.log2(one.cost.macs / one.planned.target)
            assert analysis.adjusted[one.planned.curve] == {seed: acc - miss for seed, acc in one.test.items()}


def test_the_main_contrast_is_paired_by_seed(plan: CurvesPlan, make_result: MakeResult) -> None:
    """A seed that one of them lacks is left out; pairs are compared as `compare` does."""
    result = make_result(plan)
    points = list(result.points)
    at = next(i for i, one in enumerate(points) if one.planned.curve == "compound" and one.planned.multiple == 4)
    points[at] = replace(points[at], test={seed: acc for seed, acc in points[at].test.items() if seed != 2})
    found = analyse(CurvesResult(plan, tuple(points)))
    assert found.main is not None
    seeds = (0, 1, 3, 4, 5)
    first, second = found.adjusted["compound"], found.adjusted["width"]
    assert found.main == compare([first[seed] for seed in seeds], [second[seed] for seed in seeds])
    assert {one.difference.n for one in found.against_all.values()} == {5}


def test_upsampled_networks_are_in_no_comparison_and_no_law(plan: CurvesPlan, make_result: MakeResult) -> None:
    result = make_result(plan)
    upsampled = [one for one in result.points if one.planned.upsampled]
    assert upsampled
    spoilt = tuple(
        replace(one, test=dict.fromkeys(one.test, 0.999)) if one.planned.upsampled else one for one in result.points
    )
    one, other = analyse(result), analyse(CurvesResult(plan, spoilt))
    assert "resolution" not in other.adjusted
    assert (one.main, one.against_all, one.slope, one.predicted) == (
        *(other.main, other.against_all, other.slope, other.predicted),
    )
    assert one.law is not None
    assert other.law is not None
    assert one.law.predict(2.0, 1.0, 1.0) == other.law.predict(2.0, 1.0, 1.0)


def test_shared_networks_count_once_in_the_law(plan: CurvesPlan, make_result: MakeResult) -> None:
    result = make_result(plan)
    twice = (*result.points, replace(result.points[1], planned=replace(result.points[1].planned, curve="again")))
    assert law_rows(twice) == law_rows(result.points)
    row = law_rows(result.points)[0]
    assert row["depth"] == row["width"] == row["resolution"] == 1
    assert row["macs"] == result.points[0].cost.macs


def test_the_law_predicts_the_largest_from_the_smaller(plan: CurvesPlan, analysis: CurvesAnalysis) -> None:
    assert {one.planned.curve for one in analysis.predicted} == {"depth", "width", "compound", "fast"}
    assert all(one.planned.multiple == 4 for one in analysis.predicted)
    assert all(abs(one.prediction.mean - one.accuracy) < 0.08 for one in analysis.predicted)
    assert 0 < analysis.loglinear_error < 0.1


def found_plan(plan: CurvesPlan) -> CurvesPlan:
    points = [replace(point, curve=FOUND) for point in plan.points if point.curve == "fast"]
    return replace(plan, points=(*plan.points, *points))


def test_coefficients_found_are_compared_beside_the_papers(plan: CurvesPlan, make_result: MakeResult) -> None:
    more = found_plan(plan)
    result = make_result(more)
    analysis = analyse(result)
    assert analysis.compound == FOUND
    assert analysis.main is not None
    assert analysis.paper is not None
    assert analysis.main.difference.value == pytest.approx(0.0, abs=0.005)  # as wide networks are
    assert analysis.paper.difference.value == pytest.approx(-0.04, abs=0.005)
    assert {"compound", "width", "depth", "fast"} == set(analysis.against_all)


def test_found_and_paper_may_be_one_network(plan: CurvesPlan, make_result: MakeResult) -> None:
    same = [replace(point, curve=FOUND) for point in plan.points if point.curve == "compound"]
    result = make_result(plan)
    copies = [
        replace(one, planned=point) for point in same for one in result.points
        if one.planned.curve == "compound" and one.planned.multiple == point.multiple
    ]  # fmt: skip
    analysis = analyse(CurvesResult(plan, (*result.points, *copies)))
    assert analysis.paper is not None
    assert (analysis.paper.difference.value, analysis.paper.verdict) == (0.0, "equivalent")


def test_coefficients_that_grow_one_dimension_alone_are_no_compound(plan: CurvesPlan, make_result: MakeResult) -> None:
    same = [replace(point, curve=FOUND) for point in plan.points if point.curve == "depth"]
    result = make_result(replace(plan, points=(*plan.points, *same)))
    found = analyse(result)
    assert (found.found_alone, found.compound) == ("depth", "compound")
    assert FOUND not in found.adjusted
    assert analyse(make_result(found_plan(plan))).found_alone == ""


def no_law(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scaling.curves.analysis.fit_or_none", lambda rows: None)


@pytest.mark.parametrize("lost", ["compound", "width depth", "baseline", "everything but upsampled", "large"])
def test_points_that_were_never_trained_do_no_harm(
    lost: str, plan: CurvesPlan, monkeypatch: pytest.MonkeyPatch, make_result: MakeResult
) -> None:
    no_law(monkeypatch)
    left = [
        point for point in plan.points
        if point.curve not in lost.split()
        and not (lost == "everything but upsampled" and not point.upsampled)
        and not (lost == "large" and point.multiple == 4)
    ]  # fmt: skip
    result = make_result(plan, points=left)
    analysis = analyse(result)
    assert len(analysis.means) == len(left)
    expected = lost in ("baseline", "width depth")
    assert (analysis.main is not None) == (expected and lost == "baseline")


def test_one_seed_has_no_verdict(plan: CurvesPlan, monkeypatch: pytest.MonkeyPatch, make_result: MakeResult) -> None:
    no_law(monkeypatch)
    one = replace(plan, config=replace(plan.config, seeds=1, main_seeds=1))
    analysis = analyse(make_result(one, seeds=1))
    assert analysis.main is None
    assert analysis.against_all == {}
    assert all(mean.high == math.inf for mean in analysis.means)


def test_an_accuracy_of_0_leaves_the_analysis_without_a_law(plan: CurvesPlan, make_result: MakeResult) -> None:
    result = make_result(plan)
    points = (replace(result.points[0], test={0: 0.0, 1: 0.0}), *result.points[1:])
    analysis = analyse(CurvesResult(plan, points))
    assert analysis.law is None
    assert analysis.predicted == ()
    assert analysis.main is not None
