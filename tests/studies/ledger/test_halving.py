"""Successive halving from the ledger alone: who is stopped, who is compared with whom, who is never pruned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studies.ledger.halving import Halving
from studies.ledger.ledger import Ledger
from studies.ledger.seeds import is_never_pruned, trial_seed
from studies.ledger.storage import sqlite_url
from studies.ledger.trial import Proposal
from studies.outcome import Ending, Outcome


def trial(**changes: Any) -> Proposal:
    return Proposal({}, "net", "{}", {"macs": 10, "params": 20, "activations": 30}, **changes)


def test_about_one_in_ten_is_never_pruned_and_always_the_same_ones() -> None:
    never_pruned = [is_never_pruned(0, "candidate", index) for index in range(5000)]
    assert 0.085 < np.mean(never_pruned) < 0.115
    assert never_pruned == [is_never_pruned(0, "candidate", index) for index in range(5000)]
    assert len({trial_seed(0, phase, index) for phase in ("candidate", "finalist") for index in range(5000)}) == 10_000


def halve(ledger: Ledger, value: float, **changes: Any) -> bool:
    number = ledger.begin(trial(**changes)).number
    stop = ledger.report(number, {"step": 1, "accuracy": value}, value)
    ledger.finish(number, Ending(Outcome.PRUNED if stop else Outcome.COMPLETE), None if stop else [value])
    return stop


def seed_that_prunes_the_first_trials() -> int:
    return next(
        seed for seed in range(1000) if not any(is_never_pruned(seed, "candidate", index) for index in range(12))
    )


@pytest.mark.parametrize(("direction", "sign"), [("maximize", 1), ("minimize", -1)])
def test_halving_stops_the_lower_half(direction: str, sign: int) -> None:
    seed = seed_that_prunes_the_first_trials()
    pruner = Halving((1,), factor=2, grace=4)
    with Ledger.open(None, "search", {}, pruner=pruner, directions=(direction,), seed=seed) as ledger:
        values = [0.1, 0.2, 0.3, 0.15, 0.4, 0.18, 0.35]
        # Nothing stops before the fourth; then whoever is not among the best 4 // 2, 5 // 2, 6 // 2 ... so far does.
        assert [halve(ledger, sign * value) for value in values] == [False, False, False, True, False, True, False]


def test_halving_compares_like_with_like() -> None:
    seed = seed_that_prunes_the_first_trials()
    with Ledger.open(None, "search", {}, pruner=Halving((1,), grace=2), seed=seed) as ledger:
        assert not halve(ledger, 0.9, phase="finalist")
        assert not halve(ledger, 0.5)
        interrupted = ledger.begin(trial()).number
        ledger.report(interrupted, {"step": 1, "accuracy": 0.99}, 0.99)
        ledger.interrupt(interrupted, "test")
        assert not halve(ledger, 0.6)
        assert halve(ledger, 0.4)
        assert not halve(ledger, 0.1, phase="finalist")


def test_halving_survives_the_driver(tmp_path: Path) -> None:
    seed = seed_that_prunes_the_first_trials()
    url, stops = sqlite_url(tmp_path / "ledger.db"), []
    for value in (0.1, 0.2, 0.3, 0.15):
        with Ledger.open(url, "search", {}, pruner=Halving((1,), grace=4), seed=seed) as ledger:
            stops.append(halve(ledger, value))
    assert stops == [False, False, False, True]


def test_some_trials_are_never_pruned() -> None:
    seed = next(seed for seed in range(1000) if is_never_pruned(seed, "candidate", 3))
    with Ledger.open(None, "search", {}, pruner=Halving((1,), grace=2), seed=seed) as ledger:
        stops = [halve(ledger, value) for value in (0.3, 0.4, 0.5, 0.1)]
        assert not stops[3]
        assert ledger.records()[3].never_pruned
