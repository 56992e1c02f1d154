"""Candidates drawn, trained and written down, in one process: the same seed gives the same trials, bit for bit."""

from __future__ import annotations

import pytest
import torch

from nas.search.candidates import Candidates, SearchRegion, choices
from nas.search.config import FinalistConfig, ObjectiveConfig, SearchConfig
from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch
from studies.data.config import DataConfig
from studies.ledger.ledger import Ledger
from studies.ledger.trial import Record
from studies.outcome import Outcome
from studies.trainer.recipe import Proxy
from studies.trainer.registry import get_recipe
from studies.workers.local import execute_in_process
from studies.workers.queue import Draws, TrialQueue
from studies.workers.training_job import Training, evaluate

PROXY = Proxy(width=0.05, resolution=8, images=64, epochs=2)


def search(dataset: str, trials: int = 3, **settings: object) -> list[Record]:
    """The first trials of a search without Ray; returns the ledger's records."""
    torch.set_num_threads(1)
    settings |= {"data": DataConfig(dataset), "proxy": PROXY, "finalist": FinalistConfig(1)}
    config = SearchConfig(target_flops="400M", trials=8, **settings)  # type: ignore[arg-type]
    region = SearchRegion.of(config, classes=10)
    training = Training(config.data.dataset, get_recipe(config.recipe), config.proxy)
    with Ledger.open(
        None, "search", choices(region.space), directions=config.objective_function.directions, seed=config.seed
    ) as ledger:
        candidates = Candidates.of(config, region, ledger)
        jobs = TrialQueue(ledger, Draws(trials, candidates.draw), candidates.score, payload=training.payload())
        execute_in_process(jobs, evaluate)
        return ledger.records()


@pytest.fixture(scope="module")
def records(few_images: str) -> list[Record]:
    return search(few_images, seed=4)


def facts(records: list[Record]) -> list[tuple[object, ...]]:
    curves = [tuple((rung["accuracy"], rung["loss"]) for rung in record.rungs) for record in records]
    return [(r.key, r.seed, r.values, curve) for r, curve in zip(records, curves, strict=True)]


def test_same_seed_same_trials_bit_for_bit(records: list[Record], few_images: str):
    assert facts(search(few_images, seed=4)) == facts(records)


def test_another_seed_gives_other_trials(records: list[Record], few_images: str):
    assert {r.key for r in search(few_images, trials=1, seed=5)}.isdisjoint({r.key for r in records})


def test_a_trial_holds_the_full_networks_cost_and_the_proxys_accuracy(records: list[Record]):
    for record in records:
        arch = Arch.from_json(record.arch)
        assert arch.resolution == 224
        assert cost(arch).macs == record.metrics["macs"]
        assert 320e6 <= record.metrics["macs"] <= 420e6
        assert record.outcome is Outcome.COMPLETE
        accuracy = record.rungs[-1]["accuracy"]
        assert record.values == (pytest.approx(accuracy * (record.metrics["macs"] / 400e6) ** -0.07),)


def test_draws_without_a_samplers_choice_are_marked_uniform(records: list[Record]):
    assert [record.proposed_by for record in records] == ["predictor", "uniform", "uniform"]


def test_a_pareto_search_keeps_both_numbers_and_stops_nobody(few_images: str):
    for record in search(few_images, trials=1, objective=ObjectiveConfig("pareto"), sampler="random"):
        assert record.values == (record.rungs[-1]["accuracy"], float(record.metrics["macs"]))
