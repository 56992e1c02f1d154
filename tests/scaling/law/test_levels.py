"""Deviations that networks of one multiplier share. Expected values: hand arithmetic, simulation, published tables."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from scaling.law.fit import fit_response
from scaling.law.forms import FORMS, Floats, Form
from scaling.law.levels import SPAN, find_levels
from tests.scaling.law.test_law import Rows, line_error, multipliers, published

WIDTHS, SIDES = (0.35, 0.5, 0.75, 1.0, 1.4), (96, 128, 160, 192, 224)
GRID = [(1.0, w, r / 224) for w, r in itertools.product(WIDTHS, SIDES)]
BASELINE = (3, 4)


def test_levels_are_multipliers_that_several_networks_have() -> None:
    x = np.array(list(itertools.product((0.0, 0.1, 0.2, 0.5), (0.0, 0.3, 0.6), (0.0, 0.4))))
    lonely = np.array([[0.9, 0.3, 0.4]])
    levels = find_levels(np.concatenate([x, lonely]))
    assert levels.dimension.tolist() == [0, 0, 0, 0, 1, 1, 1]  # two values of the last dimension say nothing
    assert levels.value == pytest.approx([0.0, 0.1, 0.2, 0.5, 0.0, 0.3, 0.6])


def test_three_levels_at_most_are_none() -> None:
    assert len(find_levels(np.array(list(itertools.product((0.0, 0.1, 0.2), repeat=3)))).value) == 0


def test_nearly_equal_multipliers_are_one_level() -> None:
    levels = find_levels(np.array([[v + e] for v in (0.0, 0.2, 0.4, 0.6) for e in (0.0, 0.4 * SPAN)]))
    assert levels.value == pytest.approx(np.array([0.0, 0.2, 0.4, 0.6]) + 0.2 * SPAN)


def test_shares_fall_with_the_distance_from_a_level() -> None:
    levels = find_levels(np.array(list(itertools.product((0.0, 0.1, 0.2, 0.5), repeat=2))))
    x = np.array([[0.1, 0.5], [0.1 + SPAN / 4, 0.5], [0.3, 0.3]])
    assert levels.columns(x)[0].tolist() == [0, 1, 0, 0, 0, 0, 0, 1]
    assert levels.columns(x)[1] == pytest.approx([0, 0.75, 0, 0, 0, 0, 0, 1])
    assert levels.unknown(x, True) == pytest.approx([0, 1 - 0.75**2, 2])
    assert levels.unknown(x, False).tolist() == [2, 2, 2]


def grid(rng: np.random.Generator, shared: float, own: float = 0.008) -> Rows:
    """Error 0.35 exp(-sum b (1 - 1/m)), times deviations of each width, each resolution and each network."""
    b, deviations = rng.uniform(0.1, 0.3, 2), shared * rng.standard_normal((2, len(WIDTHS)))
    gains = [b[0] * (1 - 1 / w) + b[1] * (1 - 1 / r) for _, w, r in GRID]
    total = deviations[0][:, None] + deviations[1] + own * rng.standard_normal((len(WIDTHS), len(SIDES)))
    return rows(0.35 * np.exp(total.ravel() - gains))


def rows(errors: Floats) -> Rows:
    return [
        {"depth": d, "width": w, "resolution": r, "macs": w**2 * r**2, "accuracy": float(1 - e)}
        for (d, w, r), e in zip(GRID, errors, strict=True)
    ]


def largest_six(table: Rows) -> tuple[float, float]:
    """Mean absolute error of the six largest networks, and the share of them within the intervals."""
    table = sorted(table, key=lambda row: row["macs"])
    law = fit_response(table[:-6])
    found = [(law.predict(**multipliers(row)), row["accuracy"]) for row in table[-6:]]
    hits = [p.lower <= truth <= p.upper for p, truth in found]
    return float(np.mean([abs(p.mean - truth) for p, truth in found])), float(np.mean(hits))


def test_shared_deviations_are_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = [grid(np.random.default_rng(seed), 0.02) for seed in range(12)]
    errors, hits = np.mean([largest_six(table) for table in tables], axis=0)
    assert errors < 0.004  # deviations of single networks alone make 0.002
    assert hits >= 0.95
    monkeypatch.setattr("scaling.law.levels.MIN_VISIBLE", 99)
    assert errors < 0.7 * np.mean([largest_six(table)[0] for table in tables])


def test_without_shared_deviations_little_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = [grid(np.random.default_rng(seed), 0.0) for seed in range(8)]
    errors, hits = np.mean([largest_six(table) for table in tables], axis=0)
    assert hits >= 0.95
    monkeypatch.setattr("scaling.law.levels.MIN_VISIBLE", 99)
    assert errors < np.mean([largest_six(table)[0] for table in tables]) + 0.001


def test_unmeasured_multipliers_have_unknown_deviations() -> None:
    law = fit_response(grid(np.random.default_rng(0), 0.02))
    measured, near, between = (law.predict(1, w, 1) for w in (0.75, 0.75 * np.exp(SPAN / 2), 0.87))
    assert measured.upper - measured.lower < near.upper - near.lower < between.upper - between.lower


def test_the_best_multipliers_do_not_depend_on_the_baselines_deviation() -> None:
    smooth = grid(np.random.default_rng(1), 0.0, own=0.0)
    errors = np.array([1 - row["accuracy"] for row in smooth]).reshape(len(WIDTHS), len(SIDES))
    errors[BASELINE[0]] *= 0.97
    shifted = fit_response(rows(errors.ravel()))
    plain, best = fit_response(smooth).best(2), shifted.best(2)
    assert best.multipliers == pytest.approx(plain.multipliers, rel=0.06)
    assert all(gain.value >= 0 for gain in best.gains.values())
    assert shifted.predict(1, 1, 1).mean - fit_response(smooth).predict(1, 1, 1).mean > 0.005


def test_wide_published_networks_are_predicted_from_narrow_ones() -> None:
    """Channels of width 0.75 round up and those of 1 do not: a law without shared deviations is off by 1.2 points."""
    table = published("mobilenet_v2")
    train, test = ([row for row in table if (row["width"] >= 1) == wide] for wide in (False, True))
    law = fit_response(train)
    predictions = [law.predict(**multipliers(row)) for row in test]
    errors = [abs(p.mean - row["accuracy"]) for p, row in zip(predictions, test, strict=True)]
    assert np.mean(errors) < 0.008
    assert np.mean(errors) < 0.4 * line_error(train, test, lambda a: a, lambda a: a)
    assert all(p.lower <= row["accuracy"] <= p.upper for p, row in zip(predictions, test, strict=True))


@pytest.mark.parametrize("form", [form for form in FORMS if len(form.shapes) > 1], ids=lambda form: form.name)
def test_the_form_that_made_a_table_has_the_largest_weight(form: Form) -> None:
    errors = form.inverse(1.2 + np.log(GRID) @ np.array([0.0, 0.5, 0.4]))
    noise = np.exp(0.002 * np.random.default_rng(0).standard_normal(len(GRID)))
    weights = fit_response(rows(errors * noise)).weights
    assert max((name for name in weights if name.startswith("saturating")), key=lambda name: weights[name]) == form.name
