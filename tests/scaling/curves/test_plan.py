"""What curves train: every strategy at the same FLOPs, the paper's own settings, each network once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import search_spaces as ss
from scaling.coefficients_file import Found
from scaling.curves.config import BASELINE, FOUND, CurvesConfig
from scaling.curves.plan import CurvePoint, CurvesPlan, prepare
from scaling.curves.report import describe_plan
from scaling.curves.run import wanted
from search_spaces.resizing.compound import Coefficients, scale
from search_spaces.resizing.rounding import Rounding
from search_spaces.resizing.strategy import SINGLE
from studies.workers.config import WorkersConfig
from tests.texts import values

STRATEGIES = (*SINGLE, "compound", "fast")


@pytest.fixture(scope="module")
def plan() -> CurvesPlan:
    """MobileNetV2's proxy baseline for Fashion-MNIST."""
    return prepare(CurvesConfig(baseline="mobilenet_v2", workers=WorkersConfig(1), seeds=2, main_seeds=5))


@pytest.fixture(scope="module")
def raw() -> CurvesPlan:
    return prepare(
        CurvesConfig(
            baseline="mobilenet_v2", workers=WorkersConfig(1), raw=True, strategies=("depth",), multiples=(2.0,)
        )
    )


def test_a_users_strategy_has_a_curve_of_its_own(outside: Path) -> None:
    name = "outside_scaling:deep"
    workers = WorkersConfig(1)
    plan = prepare(CurvesConfig(baseline="mobilenet_v2", workers=workers, strategies=("depth", name), multiples=(2.0,)))
    (own,) = [place for place in plan.points if place.curve == name]
    assert own.growth.nominal.depth == pytest.approx(2**0.75)
    assert own.arch.resolution == plan.baseline.trained.resolution


def closed(plan: CurvesPlan) -> list[CurvePoint]:
    return [place for place in plan.points if place.target is not None]


def test_every_strategy_stands_at_every_multiple_but_the_first(plan: CurvesPlan) -> None:
    """At multiple 1 all of them are the baseline."""
    assert plan.points[0].curve == BASELINE
    assert plan.points[0].arch == plan.baseline.trained
    assert [(place.curve, place.multiple) for place in plan.points[1:]] == [
        (name, multiple) for multiple in (2.0, 4.0) for name in STRATEGIES
    ]


def test_all_are_closed_to_the_same_flops(plan: CurvesPlan) -> None:
    base = ss.cost(plan.baseline.trained).macs
    for place in closed(plan):
        assert place.target == round(place.multiple * base)
        assert place.macs == ss.cost(place.arch).macs
        assert place.growth.macs_ratio == pytest.approx(place.macs / base)
        assert place.growth.nominal.nominal_cost == pytest.approx(place.multiple)
        if place.curve != "resolution":
            assert abs(place.macs / place.target - 1) <= 0.02


def test_single_dimensions_grow_alone(plan: CurvesPlan) -> None:
    for place in closed(plan):
        got = place.growth.realised
        if place.curve in SINGLE:
            for name in {"depth", "width", "resolution"} - {place.curve}:
                assert getattr(got, name) == pytest.approx(1)
            assert getattr(got, place.curve) > 1


def test_larger_inputs_than_the_images_are_marked(plan: CurvesPlan) -> None:
    assert {place.curve for place in plan.points if place.upsampled} == {"resolution"}
    for place in plan.points:
        assert place.upsampled == (place.arch.resolution > 28)
    assert "upsampled" in describe_plan(plan)


def test_the_largest_multiple_gets_the_main_seeds(plan: CurvesPlan) -> None:
    asked = Counter(member.arch.key for member, _ in wanted(plan))
    for place in plan.points:
        assert asked[place.arch.key] == (5 if place.multiple == 4 else 2), place
    assert {seed for _, seed in wanted(plan)} == {0, 1, 2, 3, 4}
    # The baseline and 5 networks at x2 with 2 seeds each, 5 networks at x4 with 5: 2 + 10 + 25.
    assert ["37", "2", "5", "4"] in [values(line.replace("x", ""))[:4] for line in describe_plan(plan).splitlines()]


def test_blocks_come_seed_by_seed(plan: CurvesPlan) -> None:
    seeds = [seed for _, seed in wanted(plan)]
    assert seeds == sorted(seeds)


def test_fewer_main_seeds_than_seeds_take_nothing_away() -> None:
    plan = prepare(
        CurvesConfig(workers=WorkersConfig(1), seeds=3, main_seeds=0, strategies=("width",), multiples=(2.0,))
    )
    assert Counter(Counter(member.arch.key for member, _ in wanted(plan)).values()) == {3: 2}


def test_a_network_on_several_curves_is_trained_once(raw: CurvesPlan) -> None:
    keys = Counter(place.arch.key for place in raw.points)
    shared = [key for key, count in keys.items() if count > 1]
    assert raw.baseline.trained.key in shared
    seen = [(member.arch.key, seed) for member, seed in wanted(raw)]
    assert len(seen) == len(set(seen))
    assert {key for key, _ in seen} == set(keys)
    (notes,) = {
        tuple(member.notes["curves"]) for member, _ in wanted(raw) if member.arch.key == raw.baseline.trained.key
    }
    assert set(notes) >= {BASELINE, "raw depth", "raw resolution", "raw width d=1 r=1"}


def test_raw_settings_are_the_papers(raw: CurvesPlan) -> None:
    """EN, Figure 3: d, r; Figure 4: w at (d, r) of (1, 1), (1, 1.3), (2, 1), (2, 1.3)."""
    everything = prepare(
        CurvesConfig(
            baseline="mobilenet_v2", workers=WorkersConfig(1), raw=True, strategies=(), multiples=(1.0,), most=1e6
        )
    )
    own = [place for place in everything.points if place.is_raw]
    nominal = Counter((p.growth.nominal.depth, p.growth.nominal.width, p.growth.nominal.resolution) for p in own)
    expected = [(float(d), 1.0, 1.0) for d in (1, 2, 3, 4, 6, 8)]
    expected += [(1.0, 1.0, r) for r in (1.0, 1.3, 1.5, 1.7, 1.9, 2.2, 2.5)]
    expected += [(d, w, r) for d in (1.0, 2.0) for r in (1.0, 1.3) for w in (1.0, 1.4, 1.8, 2.6, 3.8, 5.0)]
    assert nominal == Counter(expected)
    assert everything.left_out == 0
    for place in own:
        d, w, r = place.growth.nominal.depth, place.growth.nominal.width, place.growth.nominal.resolution
        rounding = everything.rounding
        made = scale(
            everything.baseline.trained, depth=d, width=w, resolution=r, divisor=rounding.divisor, step=rounding.step
        )
        assert place.arch == made
        assert place.multiple == pytest.approx(place.growth.macs_ratio)
        assert place.target is None


def test_settings_beyond_the_most_are_left_out_and_counted(raw: CurvesPlan) -> None:
    own = [place for place in raw.points if place.is_raw]
    assert len(own) + raw.left_out == 6 + 7 + 4 * 6
    assert raw.left_out > 0
    assert max(place.multiple for place in own) <= 8
    assert [str(raw.left_out), "--most", "8"] in [values(line)[-3:] for line in describe_plan(raw).splitlines()]
    assert not any(raw.is_main(place) for place in own)


def test_found_coefficients_are_a_strategy_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(Found(Coefficients(1.0, 1.4, 1.0), ss.get("mobilenet_v2"), Rounding()).to_json())
    plan = prepare(
        CurvesConfig(
            workers=WorkersConfig(1),
            strategies=("width", "compound"),
            coefficients=str(path),
            multiples=(2.0,),
            main_seeds=4,
        )
    )
    places = {place.curve: place for place in plan.points}
    assert set(places) == {BASELINE, "width", "compound", FOUND}
    # beta alone is width alone: the same network, trained once.
    assert places[FOUND].arch == places["width"].arch
    assert len(wanted(plan)) == 3 + 4 * 2


def test_the_baseline_shrinks_below_multiple_1() -> None:
    plan = prepare(CurvesConfig(workers=WorkersConfig(1), strategies=("width", "compound"), multiples=(0.5,)))
    base = ss.cost(plan.baseline.trained).macs
    assert [place.macs < base for place in plan.points] == [False, True, True]
    assert plan.largest == 0.5
