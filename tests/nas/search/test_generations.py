"""Candidates drawn in generations: any number of workers, however fast, gives the same trials."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import pytest

from nas.samplers import registry as samplers
from nas.search.candidates import Candidates, SearchRegion, choices
from nas.search.config import GENERATION, SearchConfig
from studies.ledger.halving import Halving
from studies.ledger.ledger import Ledger
from studies.ledger.trial import Record
from studies.outcome import Ending, Outcome
from studies.workers.queue import Draws, TrialQueue

TRIALS = 28
# Two generations and more behind the start-up; of nsga2's only what was trained to the end counts, some half.
MORE = {"nsga2": 72, "evolution": 48}
PLAIN = {"target_flops": "60M", "space": "small", "trials": TRIALS, "cost_band": (0.9, 1.1)}


def accuracy(job: dict[str, Any], step: int) -> float:
    """Some accuracy, the same for the same job."""
    digest = hashlib.sha256(f"{job['arch']}{job['seed']}{step}".encode()).digest()
    return 0.4 + 0.1 * step + digest[0] / 1000


def search(workers: int, luck: int, **settings: Any) -> list[Record]:
    """A search with pretended workers of random speeds; every job takes two rungs."""
    config = SearchConfig(**{**PLAIN, **settings})
    region, pace = SearchRegion.of(config, classes=10), random.Random(luck)
    pruner = Halving((1,), generation=config.generation)
    with Ledger.open(None, "search", choices(region.space), pruner=pruner, seed=config.seed) as ledger:
        candidates = Candidates.of(config, region, ledger)
        plan = Draws(config.trials, candidates.draw, generation=config.generation)
        jobs = TrialQueue(ledger, plan, candidates.score)
        busy: list[tuple[dict[str, Any], int]] = []
        while not jobs.is_finished():
            while len(busy) < workers and (job := jobs.next_job()) is not None:
                busy.append((job, 1))
            if busy:
                job, step = busy.pop(pace.randrange(len(busy)))
                stop = jobs.report(job["id"], {"step": step, "accuracy": accuracy(job, step)})
                if stop or step == 2:
                    jobs.finish(job["id"], Ending(Outcome.PRUNED if stop else Outcome.COMPLETE))
                else:
                    busy.append((job, 2))
        return ledger.records()


def facts(records: list[Record]) -> list[tuple[Any, ...]]:
    return [(r.key, r.seed, r.outcome, r.values, r.proposed_by) for r in records]


@pytest.mark.parametrize("sampler", samplers.SAMPLERS)
def test_one_and_many_workers_give_the_same_trials(sampler: str):
    settings = {"sampler": sampler, "deterministic": True, "trials": MORE.get(sampler, TRIALS)}
    alone = facts(search(1, 0, **settings))
    assert len(alone) == settings["trials"]
    assert facts(search(20, 2, **settings)) == alone
    assert {outcome for _, _, outcome, _, _ in alone} == {Outcome.COMPLETE, Outcome.PRUNED}
    # Two generations at least are the sampler's own.
    own = "uniform" if sampler == "random" else sampler
    assert [drawn for *_, drawn in alone].count(own) >= 2 * GENERATION - 4


def test_without_generations_they_differ():
    assert facts(search(1, 0, sampler="evolution")) != facts(search(3, 1, sampler="evolution"))


def test_a_generation_begins_when_the_one_before_is_over():
    config = SearchConfig(**PLAIN, sampler="random", deterministic=True)
    region = SearchRegion.of(config, classes=10)
    with Ledger.open(None, "search", choices(region.space), seed=0) as ledger:
        candidates = Candidates.of(config, region, ledger)
        jobs = TrialQueue(ledger, Draws(TRIALS, candidates.draw, generation=GENERATION), candidates.score)
        first = [jobs.next_job() for _ in range(GENERATION)]
        assert None not in first
        assert jobs.next_job() is None
        for job in first:
            assert job is not None
            jobs.report(job["id"], {"step": 1, "accuracy": 0.5})
            assert jobs.next_job() is None
            jobs.finish(job["id"], Ending(Outcome.COMPLETE))
        assert jobs.next_job() is not None
