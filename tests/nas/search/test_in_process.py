"""`--workers 0`: the search runs in this process and finds what it finds with Ray."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nas.region import SearchRegion
from nas.search.config import SearchConfig
from nas.search.run import SearchRun
from studies.data.load import load
from studies.ledger.trial import Record
from studies.runs.folder import RunFolder
from studies.trainer.recipe import Proxy
from studies.workers.pool import WorkerPool


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
        return SearchRun(config, field, run, Console(quiet=True), data, pool).search()


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
