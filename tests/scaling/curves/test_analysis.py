"""What curves conclude, from points whose accuracies are known."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from scaling.curves import run as curves_run
from scaling.curves.analysis import CurvesAnalysis, analyse, law_rows
from scaling.curves.config import CurvesConfig
from scaling.curves.files import write_files
from scaling.curves.plan import FOUND, CurvePoint, CurvesPlan, prepare
from scaling.curves.report import _unseen, report
from scaling.curves.run import CurvesResult, TrainedPoint
from search_spaces.metrics.counts import cost
from studies.runs.folder import RunFolder
from studies.statistics.comparisons import compare
from studies.timing.latency import Conditions, Latency

LATENCY = Latency.of((0.001, 0.002), Conditions(runs=2), channels_last=True)
GAIN = 0.03
OVER = {"depth": -0.02, "width": 0.0, "resolution": -0.01, "compound": 0.02, "fast": 0.01}


@pytest.fixture(scope="module")
def plan() -> CurvesPlan:
    return prepare(CurvesConfig(baseline="mobilenet_v2", workers=1, seeds=2, main_seeds=6))


def point(place: CurvePoint, accuracies: Mapping[int, float]) -> TrainedPoint:
    seconds = dict.fromkeys(accuracies, 1.0)
    return TrainedPoint(place, cost(place.arch), accuracies, accuracies, seconds, LATENCY, 1000, "")


def accuracy(plan: CurvesPlan, place: CurvePoint) -> float:
    """3 points a doubling of the baseline's cost, and what the strategy adds."""
    grown = math.log2(place.macs / plan.points[0].macs)
    return 0.7 + (GAIN + OVER.get(place.curve, 0.0)) * grown


def outcome(
    plan: CurvesPlan, *, noise: float = 0.002, places: Sequence[CurvePoint] | None = None, seeds: int = 6
) -> CurvesResult:
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 0.01, seeds)
    points = []
    for place in plan.points if places is None else places:
        many = seeds if plan.is_main(place) else min(seeds, plan.config.seeds)
        values = accuracy(plan, place) + shared[:many] + rng.normal(0, noise, many)
        points.append(point(place, dict(enumerate(values.tolist()))))
    return CurvesResult(plan, tuple(points))


@pytest.fixture(scope="module")
def answer(plan: CurvesPlan) -> CurvesAnalysis:
    return analyse(outcome(plan))


def test_contrasts_have_the_right_sign_and_size(answer: CurvesAnalysis) -> None:
    """At x4, two doublings: compound leads depth by 2 * 4 points, width by 2 * 2."""
    assert answer.rival == "width"
    assert answer.main is not None
    assert answer.main.verdict == "better"
    assert answer.main.difference.value == pytest.approx(0.04, abs=0.005)
    assert set(answer.all_main) == {"depth", "width", "fast"}
    assert answer.all_main["depth"].difference.value == pytest.approx(0.08, abs=0.005)
    assert answer.all_main["fast"].difference.value == pytest.approx(0.02, abs=0.005)
    assert {one.comparisons for one in answer.all_main.values()} == {3}
    assert answer.paper is None


def test_a_worse_compound_is_said_to_be_worse(plan: CurvesPlan) -> None:
    result = outcome(plan)
    swapped = {"compound": "width", "width": "compound"}
    points = tuple(
        replace(one, planned=replace(one.planned, curve=swapped.get(one.planned.curve, one.planned.curve)))
        for one in result.points
    )
    found = analyse(CurvesResult(plan, points))
    assert found.main is not None
    assert found.main.verdict == "worse"


def test_what_misses_the_target_is_closed_by_the_slope(plan: CurvesPlan, answer: CurvesAnalysis) -> None:
    fair = [one for one in outcome(plan).points if not one.planned.upsampled]
    x = [math.log2(one.cost.macs) for one in fair]
    y = [float(np.mean(list(one.test.values()))) for one in fair]
    assert answer.slope == pytest.approx(np.polyfit(x, y, 1)[0])
    for one in fair:
        if one.planned.target is not None and one.planned.multiple == 4:
            miss = answer.slope * math.log2(one.cost.macs / one.planned.target)
            assert answer.adjusted[one.planned.curve] == {seed: acc - miss for seed, acc in one.test.items()}


def test_the_main_contrast_is_paired_by_seed(plan: CurvesPlan) -> None:
    """A seed that one of them lacks is left out; pairs are compared as `compare` does."""
    result = outcome(plan)
    points = list(result.points)
    at = next(i for i, one in enumerate(points) if one.planned.curve == "compound" and one.planned.multiple == 4)
    points[at] = replace(points[at], test={seed: acc for seed, acc in points[at].test.items() if seed != 2})
    found = analyse(CurvesResult(plan, tuple(points)))
    assert found.main is not None
    seeds = (0, 1, 3, 4, 5)
    first, second = found.adjusted["compound"], found.adjusted["width"]
    assert found.main == compare([first[seed] for seed in seeds], [second[seed] for seed in seeds])
    assert {one.difference.n for one in found.all_main.values()} == {5}


def test_upsampled_networks_are_in_no_comparison_and_no_law(plan: CurvesPlan) -> None:
    result = outcome(plan)
    upsampled = [one for one in result.points if one.planned.upsampled]
    assert upsampled
    spoilt = tuple(
        replace(one, test=dict.fromkeys(one.test, 0.999)) if one.planned.upsampled else one for one in result.points
    )
    one, other = analyse(result), analyse(CurvesResult(plan, spoilt))
    assert "resolution" not in other.adjusted
    assert (one.main, one.all_main, one.slope, one.foretold) == (
        *(other.main, other.all_main, other.slope, other.foretold),
    )
    assert one.law is not None
    assert other.law is not None
    assert one.law.predict(2.0, 1.0, 1.0) == other.law.predict(2.0, 1.0, 1.0)


def test_shared_networks_count_once_in_the_law(plan: CurvesPlan) -> None:
    result = outcome(plan)
    twice = (*result.points, replace(result.points[1], planned=replace(result.points[1].planned, curve="again")))
    assert law_rows(twice) == law_rows(result.points)
    row = law_rows(result.points)[0]
    assert row["depth"] == row["width"] == row["resolution"] == 1
    assert row["macs"] == result.points[0].cost.macs


def test_the_law_foretells_the_largest_from_the_smaller(plan: CurvesPlan, answer: CurvesAnalysis) -> None:
    assert {one.planned.curve for one in answer.foretold} == {"depth", "width", "compound", "fast"}
    assert all(one.planned.multiple == 4 for one in answer.foretold)
    assert all(abs(one.prediction.mean - one.accuracy) < 0.08 for one in answer.foretold)
    assert 0 < answer.straight < 0.1


def found_plan(plan: CurvesPlan) -> CurvesPlan:
    places = [replace(place, curve=FOUND) for place in plan.points if place.curve == "fast"]
    return replace(plan, points=(*plan.points, *places))


def test_coefficients_found_are_compared_beside_the_papers(plan: CurvesPlan) -> None:
    more = found_plan(plan)
    result = outcome(more)
    answer = analyse(result)
    assert curves_run.compound(result) == FOUND
    assert answer.main is not None
    assert answer.paper is not None
    assert answer.main.difference.value == pytest.approx(0.0, abs=0.005)  # as wide networks are
    assert answer.paper.difference.value == pytest.approx(-0.04, abs=0.005)
    assert {"compound", "width", "depth", "fast"} == set(answer.all_main)


def test_found_and_paper_may_be_one_network(plan: CurvesPlan) -> None:
    same = [replace(place, curve=FOUND) for place in plan.points if place.curve == "compound"]
    result = outcome(plan)
    copies = [
        replace(one, planned=place) for place in same for one in result.points
        if one.planned.curve == "compound" and one.planned.multiple == place.multiple
    ]  # fmt: skip
    answer = analyse(CurvesResult(plan, (*result.points, *copies)))
    assert answer.paper is not None
    assert (answer.paper.difference.value, answer.paper.verdict) == (0.0, "equivalent")


def test_coefficients_that_grow_one_dimension_alone_are_no_compound(plan: CurvesPlan, tmp_path: Path) -> None:
    same = [replace(place, curve=FOUND) for place in plan.points if place.curve == "depth"]
    result = outcome(replace(plan, points=(*plan.points, *same)))
    assert curves_run.found_alone(result) == "depth"
    assert FOUND not in analyse(result).adjusted
    assert curves_run.compound(result) == "compound"
    text = report(result, tmp_path)
    assert f"python -m reports.build {tmp_path}" in text
    assert "the coefficients found here grow depth alone: at x4 they give its very network" in text
    assert curves_run.found_alone(outcome(found_plan(plan))) == ""


def no_law(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scaling.curves.analysis.fit_or_none", lambda rows: None)


@pytest.mark.parametrize("lost", ["compound", "width depth", "baseline", "everything but upsampled", "large"])
def test_places_that_were_never_trained_do_no_harm(
    lost: str, plan: CurvesPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_law(monkeypatch)
    left = [
        place for place in plan.points
        if place.curve not in lost.split()
        and not (lost == "everything but upsampled" and not place.upsampled)
        and not (lost == "large" and place.multiple == 4)
    ]  # fmt: skip
    result = outcome(plan, places=left)
    answer = analyse(result)
    assert len(answer.means) == len(left)
    expected = lost in ("baseline", "width depth")
    assert (answer.main is not None) == (expected and lost == "baseline")
    assert "without any training that ended: see curves-trials.csv" in report(result, tmp_path)


def test_one_seed_has_no_verdict(plan: CurvesPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_law(monkeypatch)
    one = replace(plan, config=replace(plan.config, seeds=1, main_seeds=1))
    answer = analyse(outcome(one, seeds=1))
    assert answer.main is None
    assert answer.all_main == {}
    assert all(mean.high == math.inf for mean in answer.means)
    assert "warning: one seed a network gives no intervals of its own" in report(outcome(one, seeds=1), tmp_path)


def test_an_accuracy_of_0_leaves_the_answer_without_a_law(plan: CurvesPlan) -> None:
    result = outcome(plan)
    points = (replace(result.points[0], test={0: 0.0, 1: 0.0}), *result.points[1:])
    answer = analyse(CurvesResult(plan, points))
    assert answer.law is None
    assert answer.foretold == ()
    assert answer.main is not None


def test_the_report_says_it_in_words(plan: CurvesPlan, tmp_path: Path) -> None:
    text = report(outcome(plan), tmp_path)
    assert "compound (EN's 1.2/1.1/1.15) beats width by" in text
    assert "(the best single dimension)" in text
    assert "Against every other curve, intervals holding for all at once" in text
    assert "A law fitted to the smaller networks predicts the 4 at x4" in text
    assert "Fitted to all, at x8, never trained, it expects" in text
    assert "warning: upsampled networks see more pixels than the images' own 28" in text
    assert "FLOPs here are multiply-adds" in text
    assert "1.50ms" in text  # the median of 1 and 2 ms


def test_shrunken_networks_have_a_law_too(tmp_path: Path) -> None:
    """Twice half the baseline's cost is the baseline's: what is never trained begins beyond it."""
    plan = prepare(CurvesConfig(workers=1, seeds=2, main_seeds=2, multiples=(0.5,)))
    assert "Fitted to all, at x2, never trained" in report(outcome(plan, seeds=2), tmp_path)


def test_a_gain_over_more_pixels_than_there_are_says_so() -> None:
    assert _unseen("resolution", 8, 2.0) == " (it would take x2.83 the pixels a side, the images have x2)"
    assert _unseen("resolution", 4, 2.0) == ""
    assert _unseen("width", 8, 2.0) == ""


def test_a_resolution_that_may_not_grow_any_more_expects_nothing(tmp_path: Path) -> None:
    """Resolution alone, up to the images' own: twice the largest cost lies beyond them."""
    config = CurvesConfig(
        baseline="mobilenet_v2", workers=1, seeds=2, main_seeds=2, dataset="cifar10",
        strategies=("resolution",), multiples=(1.3, 1.6, 1.9, 2.2, 2.5, 3.0, 4.0),
    )  # fmt: skip
    text = report(outcome(prepare(config), seeds=2), tmp_path)
    assert "never trained" not in text


def test_the_files_are_plain_and_say_the_same(plan: CurvesPlan, tmp_path: Path) -> None:
    result = outcome(plan, seeds=1)
    with RunFolder.open(tmp_path / "run", {}) as run:
        write_files(result, run)

    def refuse(name: str) -> NoReturn:
        raise AssertionError(f"{name} is no JSON")

    data = json.loads((tmp_path / "run" / "curves.json").read_text(), parse_constant=refuse)
    assert data["main"] is None
    assert (data["multiple"], data["pixels"], data["compound"]) == (4.0, 28, "compound")
    table = list(csv.DictReader(io.StringIO((tmp_path / "run" / "curves.csv").read_text())))
    assert [row["curve"] for row in table] == [place.curve for place in plan.points]
    assert [float(row["test_accuracy"]) for row in table] == [one.test[0] for one in result.points]
    assert {row["upsampled"] for row in table if row["curve"] != "resolution"} == {"False"}
    assert all(int(row["macs"]) == place.macs for row, place in zip(table, plan.points, strict=True))
