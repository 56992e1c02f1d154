"""Counting and drawing paths in a cost band, against brute force on small trellises and closed forms on large ones."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from search_spaces.counting import count, sampling
from search_spaces.counting.binned import Bins
from search_spaces.counting.count import count_in_band
from search_spaces.counting.exact import exact_count
from search_spaces.counting.sampling import EmptyBandError, PathSampler
from search_spaces.counting.trellis import Trellis

Path = tuple[tuple[int, int], ...]  # (out-state, option) of each stage


def all_paths(trellis: Trellis) -> dict[Path, int]:
    """Every path with its cost, by enumeration."""
    found: dict[Path, int] = {(): 0}
    for costs, allowed in zip(trellis.costs, trellis.allowed, strict=True):
        longer: dict[Path, int] = {}
        for path, spent in found.items():
            source = path[-1][0] if path else 0
            for target, option in product(range(costs.shape[1]), range(costs.shape[2])):
                if allowed[source, target, option]:
                    longer[(*path, (target, option))] = spent + int(costs[source, target, option])
        found = longer
    return found


@st.composite
def trellises(draw: st.DrawFn) -> Trellis:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    states = [1, *draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))]
    options, highest = draw(st.integers(1, 3)), draw(st.sampled_from([3, 50, 10_000]))
    shapes = [(a, b, options) for a, b in pairwise(states)]
    allowed = [rng.random(shape) < 0.8 for shape in shapes]
    for mask in allowed:
        mask[0, 0, 0] = True  # so that there is a path
    return Trellis(tuple(rng.integers(0, highest, shape) for shape in shapes), tuple(allowed))


@settings(max_examples=150)
@given(trellises(), st.data())
def test_every_way_of_counting_agrees_with_brute_force(trellis: Trellis, data: st.DataObject) -> None:
    costs = list(all_paths(trellis).values())
    assert trellis.size == len(costs)
    assert trellis.range == (min(costs), max(costs))
    low, high = sorted(data.draw(st.integers(min(costs) - 3, max(costs) + 3)) for _ in range(2))
    true = sum(low <= cost <= high for cost in costs)
    assert count_in_band(trellis, (low, high)) == (true, true)
    assert exact_count(trellis, (low, high), 10**6) == true
    assert exact_count(trellis, (low, high), 9) in (true, None)
    assert Bins(trellis, 1).count((low, high)) == (true, true)
    lower, upper = Bins(trellis, data.draw(st.integers(2, 5000))).count((low, high))
    assert lower <= true <= upper


@settings(max_examples=60)
@given(trellises(), st.data())
def test_drawn_paths_exist_and_lie_in_the_band(trellis: Trellis, data: st.DataObject) -> None:
    paths = all_paths(trellis)
    low, high = sorted(data.draw(st.integers(-3, max(paths.values()) + 3)) for _ in range(2))
    inside = {path for path, cost in paths.items() if low <= cost <= high}
    if not inside:
        with pytest.raises(EmptyBandError):
            PathSampler(trellis, (low, high)).draw(np.random.default_rng(0), 1)
        return
    states, options = PathSampler(trellis, (low, high)).draw(np.random.default_rng(0), 30)
    assert {tuple(zip(*rows, strict=True)) for rows in zip(states.tolist(), options.tolist(), strict=True)} <= inside


def small_trellis() -> Trellis:
    rng = np.random.default_rng(4)
    shapes = [(1, 2, 4), (2, 3, 3), (3, 2, 4)]
    costs = tuple(rng.integers(0, 1000, shape) // 7 * 7 for shape in shapes)
    return Trellis(costs, tuple(rng.random(shape) < 0.9 for shape in shapes))


@pytest.mark.parametrize("fine", [1, 3, 200])
@pytest.mark.parametrize("band", [None, (1000, 1500), (1300, 1500)])
def test_draws_are_uniform_whatever_the_bins(
    fine: int, band: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "FINE_BINS", fine)
    trellis = small_trellis()
    inside = {path for path, cost in all_paths(trellis).items() if band is None or band[0] <= cost <= band[1]}
    assert len(inside) > 10
    states, options = PathSampler(trellis, band).draw(np.random.default_rng(7), 100 * len(inside))
    drawn = Counter(tuple(zip(*rows, strict=True)) for rows in zip(states.tolist(), options.tolist(), strict=True))
    assert set(drawn) <= inside
    assert chisquare([drawn[path] for path in inside]).pvalue > 0.01


def binomial_trellis(stages: int) -> Trellis:
    """Of 4 options a stage one costs 1000: C(stages, k) 3^(stages - k) paths cost 1000 k."""
    costs = np.array([[[0, 0, 0, 1000]]])
    return Trellis((costs,) * stages, (np.ones_like(costs, dtype=bool),) * stages)


def binomial(stages: int, ks: range) -> int:
    return sum(math.comb(stages, k) * 3 ** (stages - k) for k in ks)


@pytest.mark.parametrize("stages", [30, 60])
def test_large_counts_against_the_binomial(stages: int) -> None:
    """30 stages fit 64 bits; 60 stages are 4^60 paths, counted in floating point with the error in the bounds."""
    trellis = binomial_trellis(stages)
    assert trellis.size == 4**stages
    expected = binomial(stages, range(5, 13))
    lower, upper = count_in_band(trellis, (4500, 12_000))
    assert lower <= expected <= upper
    assert upper - lower <= 1e-9 * expected


@pytest.mark.parametrize("stages", [30, 60])
def test_large_draws_against_the_binomial(stages: int) -> None:
    ks = range(stages // 4 - 1, stages // 4 + 3)
    sampler = PathSampler(binomial_trellis(stages), (1000 * ks[0], 1000 * ks[-1]))
    _, options = sampler.draw(np.random.default_rng(5), 4000)
    dear = Counter((options == 3).sum(axis=1).tolist())
    expected = [4000 * binomial(stages, range(k, k + 1)) / binomial(stages, ks) for k in ks]
    assert chisquare([dear[k] for k in ks], expected).pvalue > 0.01
    assert chisquare(np.bincount(options.ravel(), minlength=4)[:3]).pvalue > 0.01


def test_bins_and_meeting_in_the_middle_agree_where_enumeration_is_hopeless(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(11)
    shapes = [(1, 2, 9), *[(2, 2, 9)] * 5]
    costs = tuple(rng.integers(0, 10**8, shape) for shape in shapes)
    trellis = Trellis(costs, tuple(np.ones(shape, dtype=bool) for shape in shapes))
    low, high = trellis.range
    band = (low + (high - low) // 3, low + (high - low) // 2)
    exact = exact_count(trellis, band, 10**7)
    assert exact is not None
    monkeypatch.setattr(count, "MAX_QUICK_SUMS", 0)
    lower, upper = count_in_band(trellis, band)
    assert lower < exact < upper <= 1.001 * lower
    # Too narrow for bins: counted exactly.
    monkeypatch.setattr(count, "MAX_SUMS", 1_000_000)
    narrow = (band[0], band[0] + 10**4)
    assert count_in_band(trellis, narrow) == (exact_count(trellis, narrow, 10**7),) * 2


def test_a_gap_between_paths_is_an_empty_band(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MAX_BINS", 2)  # so that the bins alone do not show the gap
    trellis = binomial_trellis(10)
    with pytest.raises(EmptyBandError):
        PathSampler(trellis, (4100, 4900)).draw(np.random.default_rng(0), 1)
