"""`--workers 0`: the search runs in this process and finds what it finds with Ray."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nas.region import SearchRegion
from nas.search.config import SearchConfig
from nas.search.run import SearchRun
from nas.zero_cost.job import score_network
from nas.zero_cost.registry import ZERO_COST_PROXIES
from studies.data.load import load
from studies.ledger.trial import Record
from studies.outcome import Outcome
from studies.runs.folder import RunFolder
from studies.trainer.recipe import Proxy
from studies.workers.config import WorkersConfig
from studies.workers.pool import WorkerPool
from studies.workers.protocol import Job
from tests.studies.workers.listed import Listed


def search(folder: Path, workers: int) -> list[Record]:
    config = SearchConfig(
        target_flops="5M",
        space="small",
        resolution=16,
        proxy=Proxy(width=0.25, resolution=16, images=100),
        trials=8,
        deterministic=True,
        workers=WorkersConfig(workers, gpus_per_trial=0),
    )
    field, data = SearchRegion.of(config, classes=10), load(config.data.dataset, seed=config.seed)
    with RunFolder.open(folder, {}) as run, WorkerPool(config.workers) as pool:
        search_run = SearchRun(config, field, run, Console(quiet=True), data, pool)
        records = search_run.search()
        if workers:
            check_next_batch(pool, {"arch": records[0].arch, "seed": 0, **search_run.training.payload()})
    return records


def check_next_batch(pool: WorkerPool, job: Job) -> None:
    """The next batch, of zero-cost proxies, runs on the same Ray, which ends with the pool."""
    import ray

    node, source = ray.get_runtime_context().get_node_id(), Listed(1, payload=job)
    assert pool.run(source, score_network).jobs == 1
    assert ray.get_runtime_context().get_node_id() == node
    ((_, rung),), (here,) = source.rungs, score_network(job)
    assert source.ended[0].outcome is Outcome.COMPLETE
    assert {name: rung[name] for name in ZERO_COST_PROXIES} == {name: here[name] for name in ZERO_COST_PROXIES}
    pool.stop()
    assert not ray.is_initialized()


def results(records: list[Record]) -> list[tuple[Any, ...]]:
    """What of the trials does not depend on the clock."""
    names = ("step", "accuracy", "loss")
    return [
        (
            r.number,
            r.outcome,
            r.values,
            r.key,
            r.seed,
            r.proposed_by,
            [[rung[name] for name in names] for rung in r.rungs],
        )
        for r in records
    ]


@pytest.mark.slow
def test_a_search_without_ray_has_the_trials_of_one_with_ray(tmp_path: Path) -> None:
    alone, together = (results(search(tmp_path / str(workers), workers)) for workers in (0, 1))
    assert len(alone) == 8
    assert alone == together
