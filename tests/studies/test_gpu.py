"""Trials on a GPU, executed by Ray: they share it, report its memory, and survive running out of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import search_spaces as ss
from search_spaces.metrics.compute import compute_all
from studies.ledger.ledger import Ledger
from studies.ledger.trial import Proposal, Record
from studies.outcome import Outcome
from studies.trainer.recipe import Proxy
from studies.trainer.registry import get_recipe
from studies.workers.config import WorkersConfig
from studies.workers.pool import WorkerPool
from studies.workers.queue import Fixed, TrialQueue
from studies.workers.training_job import Training, evaluate

pytestmark = pytest.mark.gpu

FULL = ss.get("mobilenet_v2").replace(classes=10)


def run(training: Training, seeds: int, workers: WorkersConfig, job: Any = evaluate) -> list[Record]:
    wanted = [Proposal({"a": 0}, FULL.key, FULL.to_json(), compute_all(FULL), seed=seed) for seed in range(seeds)]
    with Ledger.open(None, "gpu", {"a": (0, 1)}) as ledger:
        jobs = TrialQueue(ledger, Fixed(wanted), lambda record, rung: rung["accuracy"], payload=training.payload())
        with WorkerPool(workers) as pool:
            pool.run(jobs, job)
        return ledger.records()


def test_two_trials_share_a_gpu_and_report_its_memory():
    training = Training("fashion-mnist-mini", get_recipe("quick"), Proxy(images=640, epochs=1))
    records = run(training, 2, WorkersConfig(number=2, gpus_per_trial=0.5))
    assert [record.outcome for record in records] == [Outcome.COMPLETE] * 2
    assert all(record.rungs[-1]["gpu_memory"] > 2**20 for record in records)


def test_out_of_memory_is_an_outcome_and_the_next_trial_runs():
    # Defined here, so that it travels to the worker as code: a test module cannot be imported there.
    def greedy_first(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Ask for more memory than any GPU has, with seed 0."""
        import torch

        size = 2**50 if job["seed"] == 0 else 2**10
        yield {"step": 1, "accuracy": float(torch.zeros(size, dtype=torch.uint8, device="cuda").float().mean())}

    records = run(Training("fashion-mnist-mini", get_recipe("quick")), 2, WorkersConfig(number=1), greedy_first)
    assert [record.outcome for record in records] == [Outcome.OUT_OF_MEMORY, Outcome.COMPLETE]
