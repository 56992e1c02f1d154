"""The learning rate that counts for each network, by one rule."""

from __future__ import annotations

import json

import pytest

from scaling.experiment.config import ExperimentConfig
from scaling.experiment.rates import ChosenRates, best_factors, peak, phases_at


def test_each_network_has_the_rate_of_its_best_mean() -> None:
    found = {
        1.0: {"a": {0: 0.5, 1: 0.7}, "b": {0: 0.8, 1: 0.8}},
        0.3: {"a": {0: 0.6, 1: 0.61}, "b": {0: 0.7, 1: 0.89}},
        0.1: {"a": {0: 0.9, 1: 0.2}, "b": {0: 0.8, 1: 0.81}},
    }
    # Means of a: 0.6, 0.605, 0.55; of b: 0.8, 0.795, 0.805.
    assert best_factors(found) == {"a": 0.3, "b": 0.1}


@pytest.mark.parametrize("factors", [(1.0, 0.3, 0.1), (0.3, 0.1, 1.0), (0.1, 1.0, 0.3)])
def test_the_recipes_rate_wins_ties(factors: tuple[float, ...]) -> None:
    # In floating point 0.1 + 0.2 + 0.3 depends on the order.
    orders = {1.0: (0.1, 0.2, 0.3), 0.3: (0.3, 0.2, 0.1), 0.1: (0.2, 0.3, 0.1)}
    assert best_factors({factor: {"a": dict(enumerate(orders[factor]))} for factor in factors}) == {"a": 1.0}


def test_a_rate_that_lost_a_seed_is_behind() -> None:
    assert best_factors({1.0: {"a": {0: 0.9}}, 0.3: {"a": {0: 0.5, 1: 0.5}}}) == {"a": 0.3}
    assert best_factors({1.0: {}, 0.3: {"a": {1: 0.2}}}) == {"a": 0.3}
    assert best_factors({1.0: {}, 0.3: {}}) == {}


def test_rates_are_exact_and_counted() -> None:
    assert [peak(0.1, factor) for factor in (1.0, 0.3, 0.1)] == [0.1, 0.03, 0.01]
    rates = ChosenRates(0.1, (1.0, 0.3, 0.1), {"a": 0.3, "b": 0.3, "c": 1.0})
    assert [rates.rate(key) for key in "abcd"] == [0.03, 0.03, 0.1, 0.1]
    assert rates.counts == {0.1: 1, 0.03: 2, 0.01: 0}
    assert ChosenRates.of_dict(json.loads(json.dumps(rates.to_dict()))) == rates


def test_the_recipes_phase_keeps_its_name() -> None:
    assert phases_at("grid", (1.0, 0.3, 0.1)) == ["grid", "grid-lr0.3", "grid-lr0.1"]


def test_factors_are_the_recipes_own_first() -> None:
    assert ExperimentConfig().factors == (1.0,)
    assert ExperimentConfig(lr_per_network=True).factors == (1.0, 0.3, 0.1)
    assert ExperimentConfig(lr_per_network=True, lr_factors=(0.1, 3.0, 1.0)).factors == (1.0, 0.1, 3.0)


def test_rates_are_part_of_the_identity() -> None:
    identities = [
        ExperimentConfig().identity(),
        ExperimentConfig(lr_per_network=True).identity(),
        ExperimentConfig(lr_per_network=True, lr_factors=(1.0, 0.5)).identity(),
    ]
    assert all(one != other for one in identities for other in identities if one is not other)
