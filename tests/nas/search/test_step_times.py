"""A training-aware search: the batch that fits, whose times count, and figures that are recorded, not taken again."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

import search_spaces as ss
from nas.search import finalists
from nas.search.candidates import Candidates, SearchRegion, choices
from nas.search.config import FinalistConfig, ObjectiveConfig, SearchConfig
from nas.search.step_times import MEMORY_BUDGET, baseline_of, check_steps, step_batch, step_times
from search_spaces.metrics.memory import training_memory
from search_spaces.resizing.stages import scale_width
from studies.data.config import DataConfig
from studies.ledger.frame import rows_of
from studies.ledger.ledger import Ledger
from studies.ledger.storage import sqlite_url
from studies.ledger.trial import Record
from studies.outcome import Outcome
from studies.timing.step_clock import StepClock
from studies.trainer.recipe import Proxy
from studies.trainer.registry import get_recipe
from studies.workers.local import execute_in_process
from studies.workers.queue import Draws, TrialQueue
from studies.workers.resources import Resources
from studies.workers.training_job import Training, evaluate

PROXY = Proxy(width=0.05, resolution=8, images=64, epochs=2)


def config(step_batch: int = 0, **changes: object) -> SearchConfig:
    fields = {
        "target_flops": "30M", "space": "efficientnetv2", "resolution": 32, "width": 0.25, "trials": 3, "proxy": PROXY,
        "finalist": FinalistConfig(1), "objective": ObjectiveConfig("training-aware", step_batch=step_batch),
        "cost_band": (0.5, 2.0), "sampler": "random",
    }  # fmt: skip
    return SearchConfig(**{**fields, **changes})  # type: ignore[arg-type]


def search(asked: SearchConfig, url: str | None, folder: Path) -> list[Record]:
    """A search without Ray; returns the ledger's records."""
    torch.set_num_threads(1)
    region = SearchRegion.of(asked, classes=10)
    training = Training(
        asked.data.dataset, get_recipe(asked.recipe), PROXY, step_times=step_times(asked, region, str(folder))
    )
    with Ledger.open(
        url, "search", choices(region.space), directions=asked.objective_function.directions, seed=0
    ) as ledger:
        candidates = Candidates.of(asked, region, ledger)
        plan = Draws(asked.trials, candidates.draw)
        execute_in_process(TrialQueue(ledger, plan, candidates.score, payload=training.payload()), evaluate)
        return ledger.records()


def by_macs(monkeypatch: pytest.MonkeyPatch, factor: float = 1.0) -> list[str]:
    """Step times in proportion to multiply-adds; returns the keys that were timed, as they are."""
    asked: list[str] = []
    real = StepClock._training

    def count(self: StepClock, arch: ss.Arch):  # type: ignore[no-untyped-def]
        asked.append(arch.key)
        return real(self, arch.replace(resolution=8))

    monkeypatch.setattr(StepClock, "_training", count)
    monkeypatch.setattr(StepClock, "_clock", lambda self, step: [factor * 1e-6 * len(asked)] * 3)
    return asked


def test_rewards_are_of_the_recorded_figures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, few_images: str):
    timed = by_macs(monkeypatch)
    url = sqlite_url(tmp_path / "ledger.db")
    records = search(config(data=DataConfig(few_images), step_batch=2), url, tmp_path / "steptimes")
    assert all(record.outcome is Outcome.COMPLETE for record in records)
    base = baseline_of(SearchRegion.of(config(), classes=10))
    # The baseline once, then each network once.
    assert timed == [base.key, *(record.key for record in records)]
    objective = config().objective_function
    for place, record in enumerate(records, start=2):
        last = record.rungs[-1]
        assert [rung["step_time"] for rung in record.rungs] == [pytest.approx(place * 1e-6)] * 2
        assert last["relative_step_time"] == pytest.approx(place)
        assert last["relative_params"] == pytest.approx(record.metrics["params"] / ss.cost(base).params)
        expected = last["accuracy"] * place**-0.07 * (record.metrics["params"] / ss.cost(base).params) ** -0.05
        assert record.values == (pytest.approx(expected),)
        assert finalists.reward(record, objective) == pytest.approx(expected)
    assert [row["relative_step_time"] for row in rows_of(records)] == pytest.approx([2, 3, 4])

    # Resumed on a machine that is ten times slower: what was recorded stays, the baseline's time too.
    by_macs(monkeypatch, factor=10)
    more = search(config(data=DataConfig(few_images), step_batch=2, trials=4), url, tmp_path / "steptimes")
    assert [record.values for record in more[:3]] == [record.values for record in records]
    assert more[3].rungs[-1]["step_time"] == pytest.approx(10e-6)
    assert more[3].rungs[-1]["relative_step_time"] == pytest.approx(10)


def test_a_ledger_without_step_times_has_no_such_reward(few_images: str):
    training = Training(few_images, get_recipe("quick"), PROXY)
    asked, region = config(trials=1), SearchRegion.of(config(), classes=10)
    with Ledger.open(None, "search", choices(region.space), seed=0) as ledger:
        candidates = Candidates.of(asked, region, ledger)
        execute_in_process(
            TrialQueue(ledger, Draws(1, candidates.draw), candidates.score, payload=training.payload()), evaluate
        )
        (record,) = ledger.records()
    assert record.outcome is Outcome.NAN
    assert math.isnan(finalists.reward(record, asked.objective_function))


def test_the_baseline_is_what_the_space_varies():
    base = baseline_of(SearchRegion.of(config(), classes=10))
    assert base.widths == scale_width(ss.get("efficientnet_b4"), 0.25).widths
    assert (base.resolution, base.classes) == (32, 10)
    assert [stage.layers for stage in base.stages] == [2, 4, 4, 6, 6, 8, 2]


@pytest.mark.parametrize(("resolution", "width", "target"), [(32, 0.25, "30M"), (224, 1.0, "1.5G"), (380, 1.0, "4.4G")])
def test_the_batch_is_the_largest_that_fits(resolution: int, width: float, target: str):
    asked = config(resolution=resolution, width=width, target_flops=target)
    region = SearchRegion.of(asked, classes=10)
    batch, base = step_batch(asked, region), baseline_of(region)
    assert batch in (1, 2, 4, 8, 16, 32)
    assert training_memory(base, batch, ema=True).total <= MEMORY_BUDGET
    assert batch < 32 or resolution == 32
    assert step_batch(config(step_batch=5), region) == 5


def test_steps_that_cannot_fit_are_refused():
    asked = config(resolution=3000, width=1.0, target_flops="300G")
    with pytest.raises(ValueError, match="--step-batch 1"):
        step_batch(asked, SearchRegion.of(asked, classes=10))
    asked = config(step_batch=10**6)
    region = SearchRegion.of(asked, classes=10)
    with pytest.raises(ValueError, match="--step-batch 1000000"):
        check_steps(asked, region, Resources(2, 1, 0.0))


def test_timed_trials_share_no_gpu():
    region = SearchRegion.of(config(), classes=10)
    with pytest.raises(ValueError, match=r"--gpus-per-trial .* got 0\.5"):
        check_steps(config(), region, Resources(2, 1, 0.5))
    check_steps(config(), region, Resources(2, 1, 1.0))
    check_steps(config(), region, Resources(2, 1, 0.0))


def test_other_searches_do_not_know_its_settings():
    assert "step_times" in config().identity()["objective"]
    for name in ("params_weight", "step_times", "step_batch"):
        assert name not in SearchConfig().identity()["objective"]
        assert name not in SearchConfig().settings()["objective"]
