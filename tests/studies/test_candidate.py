"""What a worker makes of a job."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import search_spaces as ss
from studies.candidate import Training, evaluate
from studies.checkpoint import load_weights
from studies.evaluation import Evaluation
from studies.outcome import Outcome
from studies.recipe import Proxy, get_recipe

FULL = ss.get("mobilenet_v2").replace(classes=10)
TINY = Training("fashion-mnist-mini", get_recipe("quick"), Proxy(width=0.05, resolution=8, images=64, epochs=2))


def job(training: Training, seed: int = 5) -> dict[str, object]:
    """A job as it arrives in a worker: through JSON."""
    return json.loads(json.dumps({"arch": FULL.to_json(), "seed": seed, **training.payload()}))  # type: ignore[no-any-return]


def test_a_training_survives_the_journey():
    assert Training.of(job(TINY)) == TINY
    assert Training.of(job(Training("cifar10", get_recipe("standard")))) == Training("cifar10", get_recipe("standard"))


def test_the_proxy_is_trained_and_its_weights_are_kept_with_its_own_arch(tmp_path: Path):
    training = Training(TINY.dataset, TINY.recipe, TINY.proxy, folder=str(tmp_path), keep_weights=True)
    rungs = list(evaluate(job(training)))
    assert [rung["step"] for rung in rungs] == [1, 2]
    assert [rung["images"] for rung in rungs] == [64, 128]
    assert all(rung["outcome"] == "complete" and 0 <= rung["accuracy"] <= 1 for rung in rungs)
    arch, network = load_weights(training.weights(FULL.key, 5))
    assert arch == training.trained(FULL)
    assert sum(p.numel() for p in network.parameters()) == ss.cost(arch).params


def test_a_checkpoint_gives_the_same_rungs_again(tmp_path: Path):
    training = Training(TINY.dataset, TINY.recipe, TINY.proxy, folder=str(tmp_path))
    whole = list(evaluate(job(training)))
    assert training.checkpoint(FULL.key, 5).exists()  # type: ignore[union-attr]
    again = list(evaluate(job(training)))
    assert [rung["accuracy"] for rung in again] == [rung["accuracy"] for rung in whole]


def test_a_training_that_breaks_says_so(monkeypatch: pytest.MonkeyPatch):
    broken = Evaluation(1, 1.0, 0.0, 0.7, math.nan, 64, 1.0, 0.1, 5, Outcome.NAN)
    monkeypatch.setattr("studies.train.train", lambda *words, **settings: iter([broken]))
    (rung,) = evaluate(job(TINY))
    assert rung["outcome"] == "nan"
