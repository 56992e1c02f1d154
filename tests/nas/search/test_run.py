"""Which candidates of a search become its finalists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from rich.console import Console

from nas.samplers.parameters import to_params
from nas.search import finalists
from nas.search.candidates import SearchRegion, propose
from nas.search.config import FinalistConfig, ObjectiveConfig, SearchConfig
from nas.search.run import SearchRun
from studies.ledger.ledger import Ledger
from studies.ledger.trial import Proposal, Record
from studies.workers.local import execute_in_process
from studies.workers.pool import WorkerPool
from studies.workers.queue import Draws, TrialQueue

TRIALS = 24


def proposals(config: SearchConfig, region: SearchRegion) -> list[Proposal]:
    """Some networks of the region, smallest first."""
    rows = region.space.sample(np.random.default_rng(0), TRIALS, within=region.within, of="networks")
    found = [
        propose(region.space, to_params(region.space, region.space.choice(row)), "uniform", config) for row in rows
    ]
    return sorted(found, key=lambda proposal: proposal.metrics["macs"])


def train(ledger: Ledger, wanted: list[Proposal], accuracies: dict[str, float]) -> list[Record]:
    def work(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield {"step": 1, "accuracy": accuracies[job["arch"]]}

    plan = Draws(TRIALS, lambda number, entropy: wanted[number])
    execute_in_process(TrialQueue(ledger, plan, lambda record, rung: rung["accuracy"]), work)
    return ledger.records()


def test_finalists_are_the_networks_that_the_sampler_recommends(tmp_path: Path):
    config = SearchConfig(
        target_flops="60M",
        space="small",
        objective=ObjectiveConfig("accuracy"),
        scheduler="none",
        trials=TRIALS,
        finalist=FinalistConfig(2),
    )
    region = SearchRegion.of(config, classes=10)
    wanted = proposals(config, region)
    # Larger is better, give or take some luck, of which the smallest of all had most.
    luck = np.random.default_rng(1).normal(0, 0.03, TRIALS).tolist()
    accuracies = {proposal.arch: 0.5 + 0.01 * rank + luck[rank] for rank, proposal in enumerate(wanted)}
    accuracies[wanted[0].arch] = max(accuracies.values()) + 0.0001
    run: Any = SimpleNamespace(folder=tmp_path, path=lambda name: tmp_path / name)
    begun = SearchRun(
        config, region, run, Console(quiet=True), cast("Any", SimpleNamespace(corrupt=())), WorkerPool(config.workers)
    )
    with begun.open("search") as ledger:
        records = train(ledger, wanted, accuracies)
    chosen = {record.key for record in begun.finalists(records)}
    luckiest = finalists.choose(records, config.objective_function, 1)[0]
    assert luckiest.key == wanted[0].key
    assert len(chosen) == 2
    assert wanted[0].key not in chosen
    assert chosen <= {proposal.key for proposal in wanted[TRIALS // 2 :]}
