"""What a grid concludes, from simulated accuracies whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest

from scaling.grid.analysis import GridAnalysis, analyse
from scaling.grid.budget import Budget
from scaling.grid.lattice import Lattice
from scaling.grid.networks import GridNetwork, GridNetworks, grid_networks
from search_spaces.metrics.counts import cost
from search_spaces.metrics.registry import Conditions
from search_spaces.networks.arch import Arch, Stage
from search_spaces.resizing.compound import Coefficients, Growth, Multipliers
from search_spaces.resizing.rounding import Rounding

BASE = Arch(
    stages=(Stage("sepconv", 3, 1, 16, 2), Stage("mbconv", 3, 2, 24, 2, 3.0), Stage("mbconv", 3, 2, 40, 2, 3.0)),
    stem=16, stem_stride=1, head=128, resolution=16, classes=10,
)  # fmt: skip
TARGET = 2 * cost(BASE).macs
FIELD = grid_networks(BASE, Lattice(step=0.05), 1.0, Rounding(2, 4), Budget({}, Conditions(), 1000), TARGET)
KEYS = [one.arch.key for one in FIELD.networks]
SPREAD = 0.006


def truth(one: GridNetwork) -> float:
    """Accuracy with diminishing returns of each dimension, best at some balance of them."""
    got = one.growth.realised
    return 0.8 + 0.03 * math.log(got.depth) + 0.09 * (1 - 1 / got.width) + 0.11 * (1 - 1 / got.resolution)


def simulated(seeds: int, rng: np.random.Generator, *, base: float = 0.8) -> dict[str, dict[int, float]]:
    """Every network's accuracies; a seed does something to all networks alike, too."""
    shared = rng.normal(0, 0.01, seeds)
    means = {BASE.key: base} | {one.arch.key: truth(one) for one in FIELD.networks}
    return {
        key: {seed: mean + float(shared[seed] + rng.normal(0, SPREAD)) for seed in range(seeds)}
        for key, mean in means.items()
    }


def concluded(accuracies: Mapping[str, Mapping[int, float]]) -> GridAnalysis:
    return analyse(FIELD, accuracies, 1.0, max_resolution=2.0)


def flat(value: float, seeds: int = 3) -> dict[str, dict[int, float]]:
    return {key: dict.fromkeys(range(seeds), value) for key in [BASE.key, *KEYS]}


@pytest.fixture
def no_law(monkeypatch: pytest.MonkeyPatch) -> None:
    """The law takes a second; most of the analysis does without."""
    monkeypatch.setattr("scaling.grid.analysis.fit_or_none", lambda rows: None)


def test_an_obvious_best_is_found_alone(no_law: None) -> None:
    accuracies = simulated(3, np.random.default_rng(0))
    chosen = KEYS[5]
    accuracies[chosen] = {seed: value + 0.2 for seed, value in accuracies[chosen].items()}
    found = concluded(accuracies)
    assert found.best.network.arch.key == chosen
    assert [one.network.arch.key for one in found.equals] == [chosen]
    points = FIELD.networks[5].points
    assert found.ranges()["alpha"] == (min(p.alpha for p in points), max(p.alpha for p in points))
    assert found.law is None
    assert found.optimal_coefficients() is None


def test_the_ranking_has_every_network_best_first(no_law: None) -> None:
    found = concluded(simulated(3, np.random.default_rng(1)))
    values = [one.mean.value for one in found.ranking]
    assert values == sorted(values, reverse=True)
    assert sorted(one.network.arch.key for one in found.ranking) == sorted(KEYS)
    assert found.ranking[0].is_equal


def test_the_true_best_is_among_the_indistinguishable_as_often_as_promised(no_law: None) -> None:
    best = max(FIELD.networks, key=truth).arch.key
    rng, n = np.random.default_rng(2), 300
    sets = [{one.network.arch.key for one in concluded(simulated(3, rng)).equals} for _ in range(n)]
    hits = sum(best in keys for keys in sets)
    # The promise is at least 95 %: Dunnett's level holds where all others are as good.
    assert hits / n >= 0.95 - 4 * math.sqrt(0.95 * 0.05 / n)
    assert np.mean([len(keys) for keys in sets]) < 0.8 * len(KEYS)


def test_all_alike_are_all_kept_together_mostly(no_law: None) -> None:
    """Where all are equal any given one must be in the set 95 % of the time."""
    rng, n = np.random.default_rng(3), 200
    hits = 0
    for _ in range(n):
        accuracies = {key: dict(enumerate(rng.normal(0.8, SPREAD, 3).tolist())) for key in [BASE.key, *KEYS]}
        hits += KEYS[3] in {one.network.arch.key for one in concluded(accuracies).equals}
    assert abs(hits / n - 0.95) < 4 * math.sqrt(0.95 * 0.05 / n)


def test_what_a_network_misses_of_the_target_is_adjusted_for(no_law: None) -> None:
    """Accuracy that follows cost alone, 4 points a doubling, makes all networks equal."""
    gain = 0.04
    macs = {BASE.key: cost(BASE).macs} | {one.arch.key: one.macs for one in FIELD.networks}
    accuracies = {
        key: dict.fromkeys(range(2), 0.7 + gain * math.log2(spent / macs[BASE.key])) for key, spent in macs.items()
    }
    found = concluded(accuracies)
    assert found.slope == pytest.approx(gain, rel=1e-3)
    values = [one.mean.value for one in found.ranking]
    assert max(values) - min(values) < 1e-4
    assert values[0] == pytest.approx(0.74, abs=1e-4)
    assert found.baseline is not None
    assert found.baseline.value == pytest.approx(0.7)


def test_without_the_baseline_nothing_is_adjusted(no_law: None) -> None:
    accuracies = {key: values for key, values in simulated(2, np.random.default_rng(4)).items() if key != BASE.key}
    found = concluded(accuracies)
    assert (found.slope, found.baseline) == (0.0, None)
    for one in found.ranking:
        assert one.mean.value == pytest.approx(np.mean(list(one.accuracies.values())))


def test_missing_seeds_and_networks_that_failed_do_no_harm(no_law: None) -> None:
    accuracies = simulated(3, np.random.default_rng(5))
    del accuracies[KEYS[0]]
    del accuracies[KEYS[1]][2]
    accuracies[KEYS[2]] = {}
    found = concluded(accuracies)
    assert {one.network.arch.key for one in found.ranking} == set(KEYS) - {KEYS[0], KEYS[2]}
    short = next(one for one in found.ranking if one.network.arch.key == KEYS[1])
    full = next(one for one in found.ranking if one.network.arch.key == KEYS[3])
    width = {one.mean.n: one.mean.high - one.mean.low for one in (short, full)}
    assert width[2] / width[3] == pytest.approx(math.sqrt(3 / 2))  # one variance for all


def test_nothing_trained_is_one_line() -> None:
    with pytest.raises(ValueError, match="grid-trials"):
        concluded({BASE.key: {0: 0.8}})


def test_one_seed_tells_nobody_apart(no_law: None) -> None:
    found = concluded(simulated(1, np.random.default_rng(6)))
    assert len(found.equals) == len(KEYS)
    assert all((one.mean.low, one.mean.high) == (-math.inf, math.inf) for one in found.ranking)


def test_the_law_advises_within_the_images() -> None:
    found = analyse(FIELD, simulated(3, np.random.default_rng(7)), 2.0, max_resolution=1.25)
    assert found.law is not None
    assert found.optimum is not None
    optimal = found.optimal_coefficients()
    assert optimal is not None
    # At phi = 2 a coefficient is the square root of its multiplier.
    assert optimal["alpha"].value == pytest.approx(math.sqrt(found.optimum.depth))
    assert found.optimum.resolution <= 1.25 + 1e-9
    assert found.optimum.multiple == 4


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5])
def test_accuracies_that_no_law_can_be_fitted_to_do_no_harm(value: float) -> None:
    """A network that is never right, with many classes, or all of them alike."""
    found = concluded(flat(value))
    assert len(found.equals) == len(KEYS)
    assert found.slope == 0
    assert value > 0 or found.law is None


def test_few_networks_have_no_law() -> None:
    few = GridNetworks(BASE, 5, FIELD.networks[:5], FIELD.left_out, TARGET)
    assert analyse(few, simulated(2, np.random.default_rng(8)), 1.0, max_resolution=2.0).law is None


def test_raw_networks_are_matched_to_their_median() -> None:
    """Costs 2, 3 and 4 times the baseline's; 1 point a doubling."""
    base = cost(BASE).macs
    archs = [BASE.replace(head=head) for head in (129, 130, 131)]
    one = Coefficients(1.2, 1.3, 1.0)
    networks = tuple(
        GridNetwork(arch, times * base, Growth(Multipliers(), Multipliers(), float(times)), one, (one,))
        for arch, times in zip(archs, (2, 3, 4), strict=True)
    )
    accuracies = {arch.key: dict.fromkeys((0, 1), 0.8) for arch in archs} | {BASE.key: {0: 0.78, 1: 0.78}}
    found = analyse(GridNetworks(BASE, 3, networks, FIELD.left_out, None), accuracies, 1.0, max_resolution=2.0)
    slope = 0.02 / math.log2(3)
    matched = [one.mean.value for one in found.ranking]
    assert found.slope == pytest.approx(slope)
    assert matched == pytest.approx([0.8 - slope * math.log2(times / 3) for times in (2, 3, 4)])
