"""Step times: what is timed, what is summed, what is kept. No test looks at how long anything really takes."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import search_spaces as ss
from search_spaces.common.files import write_once
from search_spaces.networks.layers import structure
from search_spaces.resizing.shrink import shrink
from studies.timing import timer
from studies.timing.step_clock import StepClock, _shape
from studies.timing.step_time import StepTimes
from studies.timing.timer import TimeCache
from studies.trainer import loop
from studies.trainer.recipe import Proxy
from studies.trainer.registry import get_recipe
from studies.workers.training_job import Training, evaluate

ARCH = ss.Arch(
    stages=(ss.Stage("fused", 3, 1, 8, 3, 4), ss.Stage("mbconv", 3, 2, 16, 2, 4, se=0.25)),
    stem=8, head=16, resolution=16, classes=10, activation="silu",
)  # fmt: skip
TWICE = ARCH.replace(resolution=32)
RECIPE = get_recipe("quick")


class Clock:
    """A clock that every timed piece of work moves by a given number of seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float = 1.0) -> None:
        self.seconds, self.timed, self._pending = seconds, 0, False
        self._now = 0.0
        monkeypatch.setattr(timer.time, "perf_counter", self._read)

    def _read(self) -> float:
        self._pending = not self._pending
        if not self._pending:
            self._now += self.seconds
            self.timed += 1
        return self._now


def times(folder: Path | str = "", source: str = "measured", **more: int) -> StepTimes:
    return StepTimes(ARCH.to_json(), 4, str(folder), source, **more)


def test_the_first_to_write_counts(tmp_path: Path) -> None:
    assert write_once(tmp_path / "a", "one")
    assert not write_once(tmp_path / "a", "two")
    assert (tmp_path / "a").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_median_is_kept_and_measured_once(tmp_path: Path) -> None:
    cache, calls = TimeCache(str(tmp_path / "times")), []

    def measure() -> list[float]:
        calls.append(1)
        return [3.0, 1.0, 9.0]

    assert [cache.seconds("x", {"batch": 1}, measure) for _ in range(3)] == [3.0] * 3
    assert len(calls) == 1
    assert cache.seconds("x", {"batch": 2}, measure) == 3.0
    assert len(calls) == 2
    for path in (tmp_path / "times").iterdir():
        assert json.loads(path.read_text())["runs"] == [3.0, 1.0, 9.0]
        path.write_text("{")
    assert cache.seconds("x", {"batch": 1}, lambda: [5.0]) == 5.0
    assert TimeCache("").seconds("x", {"batch": 1}, lambda: [7.0]) == 7.0


def test_a_figure_that_another_worker_wrote_meanwhile_is_taken(tmp_path: Path) -> None:
    cache = TimeCache(str(tmp_path))

    def measure() -> list[float]:
        assert cache.seconds("x", {}, lambda: [1.0]) == 1.0
        return [2.0]

    assert cache.seconds("x", {}, measure) == 1.0


def test_whole_steps_after_a_warm_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock, steps = Clock(monkeypatch, 0.25), []
    real = torch.optim.SGD.step
    monkeypatch.setattr(torch.optim.SGD, "step", lambda *a, **k: (steps.append(1), real(*a, **k))[1])
    assert times(tmp_path, runs=3, warmup=2).seconds(ARCH, RECIPE) == 0.25
    assert (len(steps), clock.timed) == (5, 3)
    assert times(tmp_path, runs=3, warmup=2).seconds(ARCH, RECIPE) == 0.25
    assert len(steps) == 5
    # Another resolution, another batch, another recipe are other steps; another number of epochs is not.
    times(tmp_path, runs=3, warmup=2).seconds(TWICE, RECIPE)
    dataclasses.replace(times(tmp_path, runs=3, warmup=2), batch=8).seconds(ARCH, RECIPE)
    times(tmp_path, runs=3, warmup=2).seconds(ARCH, get_recipe("standard"))
    assert len(steps) == 20
    times(tmp_path, runs=3, warmup=2).seconds(ARCH, RECIPE.replace(epochs=7))
    assert len(steps) == 20


@pytest.mark.parametrize("name", ["efficientnetv2_s", "efficientnetv2_l"])
def test_steps_see_whole_images_at_their_own_resolution(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # These recipes end on images of 78 % and 79 % of the side, and L's are mixed, which makes labels shares of classes.
    seen: list[tuple[torch.Size, torch.Size]] = []
    real = loop.accumulate

    def spy(model: Any, scaler: Any, recipe: Any, images: Tensor, labels: Tensor, **more: Any) -> Any:
        seen.append((images.shape, labels.shape))
        return real(model, scaler, recipe, images, labels, **more)

    monkeypatch.setattr(loop, "accumulate", spy)
    times(runs=1, warmup=0).seconds(TWICE, get_recipe(name))
    assert seen == [((4, 3, 32, 32), (4,))]


def test_layers_add_up_and_equal_ones_are_timed_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock = Clock(monkeypatch, 0.5)
    # Stem, three and two layers, head, classifier: each 0.5 s. The fused layers are all alike, as 8 channels enter.
    assert times(tmp_path, "layers", runs=2, warmup=0).seconds(ARCH, RECIPE) == 8 * 0.5
    assert clock.timed == 2 * 6
    deeper = ARCH.replace(stages=(dataclasses.replace(ARCH.stages[0], layers=9), ARCH.stages[1]))
    assert times(tmp_path, "layers", runs=2, warmup=0).seconds(deeper, RECIPE) == 14 * 0.5
    assert clock.timed == 2 * 6


def test_shapes_are_the_walk_s() -> None:
    blocks, classifier = structure(ARCH)
    counts = Counter(map(_shape, (*blocks, classifier)))
    assert sorted(counts.values()) == [1, 1, 1, 1, 1, 3]
    wider = ARCH.replace(stem=16)
    assert {_shape(block) for block in structure(wider)[0][:2]}.isdisjoint(counts)


@pytest.mark.parametrize("name", ["efficientnetv2_s", "mobilenet_v2", "resnet50"])
def test_every_kind_of_layer_can_be_timed_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch)
    small = shrink(ss.get(name), width=0.1, resolution=32)
    assert times(source="layers", runs=1, warmup=0).seconds(small, RECIPE) == len(structure(small)[0]) + 1


def test_figures_are_over_the_baseline_s(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(StepClock, "whole", lambda self, arch: {ARCH.key: 2.0, TWICE.key: 5.0}[arch.key])
    assert times().facts(TWICE, RECIPE) == {"step_seconds": 5.0, "relative_step": 2.5, "relative_params": 1.0}
    assert times().facts(ARCH, RECIPE)["relative_step"] == 1.0


def test_global_random_numbers_are_left_as_they_were() -> None:
    state = torch.get_rng_state()
    for source in ("measured", "layers"):
        times(source=source, runs=1, warmup=0).seconds(ARCH, RECIPE)
    assert torch.equal(torch.get_rng_state(), state)


def test_every_rung_of_a_trial_carries_the_figures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(StepClock, "whole", lambda self, arch: 2.0 if arch == ARCH else 3.0)
    proxy = Proxy(width=0.5, resolution=8, images=64, epochs=2)
    training = Training("fashion-mnist-mini", RECIPE, proxy, step_times=times(tmp_path))
    wide = ARCH.replace(stem=16)
    job = json.loads(json.dumps({"arch": wide.to_json(), "seed": 1, **training.payload()}))
    assert Training.from_job(job) == training
    rungs = list(evaluate(job))
    assert len(rungs) == 2
    params = ss.cost(wide).params / ss.cost(ARCH).params
    for rung in rungs:
        assert (rung["step_seconds"], rung["relative_step"]) == (3.0, 1.5)
        assert rung["relative_params"] == pytest.approx(params)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "layer"}, "unknown --step-times 'layer': did you mean 'layers'?"),
        ({"batch": 0}, "a step time's batch must be at least 1, got 0"),
        ({"runs": 0}, "a step time's runs must be at least 1, got 0"),
    ],
)
def test_bad_settings(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=".") as caught:
        dataclasses.replace(times(), **changes)  # type: ignore[arg-type]
    assert message in str(caught.value)
