"""The plan of a training, as a person reads it, and the resources that its workers ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studies.train.config import TogetherConfig, TrainConfig
from studies.train.plan import Pace, describe_plan, measure_pace, prepare
from studies.workers.resources import settle

GOLDEN = Path(__file__).with_name("plan.txt")
# 500 images a second.
PACE = Pace(images=8000, seconds=0.002)


def plan(pace: Pace, workers: int = 1, **settings: Any) -> str:
    together = TogetherConfig(workers, cpus_per_worker=1)
    return describe_plan(prepare(TrainConfig(arch="triaxis_small", device="cpu", workers=together, **settings)), pace)


def test_the_plan_as_a_person_reads_it() -> None:
    """8000 images take 16 s, and 12 epochs 192 s; at half the speed 3 seeds of 2 epochs take 192 s too."""
    small = plan(PACE, resolution=16, recipe="quick", epochs=12)
    large = plan(Pace(8000, 0.004), resolution=32, recipe="efficientnet", epochs=2, seeds=3, workers=2, clip_norm=1.0)
    assert f"{small}\n\n---\n\n{large}\n" == GOLDEN.read_text()


def test_the_pace_is_that_of_the_images_asked_for() -> None:
    one = TogetherConfig(cpus_per_worker=1)
    base = {"arch": "triaxis_small", "resolution": 16, "recipe": "quick", "device": "cpu", "workers": one}
    pace = measure_pace(prepare(TrainConfig(**base, images=400, validation=100)))
    assert pace.images == 400
    assert 0 < pace.seconds < 1


def test_a_cluster_that_is_too_small_is_refused_by_the_commands_own_flag() -> None:
    """What `execution` asks for is fitted to the cluster once it is joined: here to one of 2 cores."""
    with pytest.raises(ValueError, match="--cpus-per-worker 3 "):
        settle(TogetherConfig(ray_address="auto", cpus_per_worker=3).fitted(3), 2, 0)
