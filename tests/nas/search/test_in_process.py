"""`--workers 0`: the search runs in this process and finds what it finds with Ray."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nas.region import SearchRegion
from nas.search.config import SearchConfig
from nas.search.run import SearchRun
from studies.data.load import load
from studies.ledger.trial import Record
from studies.outcome import Ending, Rung
from studies.runs.folder import RunFolder
from studies.trainer.recipe import Proxy
from studies.workers.pool import WorkerPool
from studies.workers.protocol import Job


def search(folder: Path, workers: int) -> list[Record]:
    config = SearchConfig(
        target_flops="5M",
        space="small",
        resolution=16,
        proxy=Proxy(width=0.25, resolution=16, images=100),
        trials=8,
        gpus_per_trial=0,
        deterministic=True,
        workers=workers,
    )
    field, data = SearchRegion.of(config, classes=10), load(config.dataset, seed=config.seed)
    with RunFolder.open(folder, {}) as run, WorkerPool(config.execution) as pool:
        records = SearchRun(config, field, run, Console(quiet=True), data, pool).search()
        if workers:
            check_next_batch(pool)
    return records


class OneJob:
    """A source of one job."""

    def __init__(self) -> None:
        self.given, self.rungs, self.ending = False, list[Rung](), None

    def next_job(self) -> Job | None:
        given, self.given = self.given, True
        return None if given else {"id": 0}

    def report(self, job_id: int, rung: Rung) -> bool:
        self.rungs.append(rung)
        return False

    def finish(self, job_id: int, ending: Ending) -> None:
        self.ending = ending

    def is_finished(self) -> bool:
        return self.ending is not None


def check_next_batch(pool: WorkerPool) -> None:
    """The next batch runs on the same Ray, which ends with the pool."""
    import ray

    def evaluate(job: Job) -> Iterator[Rung]:
        """Defined here, so that it travels to the worker as code: a test module cannot be imported there."""
        import ray

        yield {"step": 1, "accuracy": 0.5, "node": ray.get_runtime_context().get_node_id()}

    there, source = ray.get_runtime_context().get_node_id(), OneJob()
    usage = pool.run(source, evaluate)
    assert (usage.jobs, [rung["node"] for rung in source.rungs]) == (1, [there])
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
