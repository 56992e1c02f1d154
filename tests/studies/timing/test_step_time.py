"""Step times: what is timed, what is summed, what is kept. No test looks at how long anything really takes."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_post_hook

import search_spaces as ss
from search_spaces.common.files import write_once
from search_spaces.networks.layers import structure
from search_spaces.networks.module import Network
from search_spaces.resizing.shrink import shrink
from studies.timing.step_clock import StepClock, shape_key
from studies.timing.step_time import StepTimes
from studies.timing.timer import TimeCache
from studies.trainer.recipe import Proxy, Recipe
from studies.trainer.registry import get_recipe
from studies.workers.training_job import Training, evaluate

ARCH = ss.Arch(
    stages=(ss.Stage("fused", 3, 1, 8, 3, 4), ss.Stage("mbconv", 3, 2, 16, 2, 4, se=0.25)),
    stem=8, head=16, resolution=16, classes=10, activation="silu",
)  # fmt: skip
TWICE = ARCH.replace(resolution=32)
RECIPE = get_recipe("quick")


class FixedTimer:
    """A timer that makes each step and says that it took a given number of seconds."""

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds, self.timed = seconds, 0

    def __call__(self, work: Callable[[], object], device: torch.device) -> float:
        work()
        self.timed += 1
        return self.seconds


def times(folder: Path | str = "", source: str = "measured", **more: int) -> StepTimes:
    return StepTimes(ARCH.to_json(), 4, str(folder), source, **more)


def clock(timer: FixedTimer, *, recipe: Recipe = RECIPE, batch: int = 4, folder: Path | str = "") -> StepClock:
    """A clock of one timed step after one untimed one."""
    return StepClock.here(recipe, batch, 1, 1, str(folder), "cpu", timer)


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


def test_whole_steps_after_a_warm_up(tmp_path: Path) -> None:
    timer, steps = FixedTimer(0.25), []
    hook = register_optimizer_step_post_hook(lambda *_: steps.append(1))

    def seconds(arch: ss.Arch = ARCH, recipe: Recipe = RECIPE, batch: int = 4) -> float:
        return StepClock.here(recipe, batch, 3, 2, str(tmp_path), "cpu", timer).whole(arch)

    try:
        assert seconds() == 0.25
        assert (len(steps), timer.timed) == (5, 3)
        assert seconds() == 0.25
        assert len(steps) == 5
        # Another resolution, another batch, another recipe are other steps; another number of epochs is not.
        seconds(TWICE)
        seconds(batch=8)
        seconds(recipe=get_recipe("standard"))
        assert len(steps) == 20
        seconds(recipe=RECIPE.replace(epochs=7))
        assert len(steps) == 20
    finally:
        hook.remove()


@pytest.mark.parametrize("name", ["efficientnetv2_s", "efficientnetv2_l"])
def test_steps_see_whole_images_at_their_own_resolution(name: str) -> None:
    # These recipes end on images of 78 % and 79 % of the side, and L's are mixed, which makes labels shares of classes.
    seen: list[torch.Size] = []
    hook = register_module_forward_pre_hook(
        lambda module, inputs: seen.append(inputs[0].shape) if isinstance(module, Network) else None
    )
    measured = clock(FixedTimer(), recipe=get_recipe(name))
    try:
        measured.whole(TWICE)
    finally:
        hook.remove()
    assert seen == [(4, 3, 32, 32)] * 2
    assert (measured.recipe.mixup, measured.recipe.cutmix, measured.recipe.stages) == (0, 0, 1)


def test_layers_add_up_and_equal_ones_are_timed_once(tmp_path: Path) -> None:
    timer = FixedTimer(0.5)
    # Stem, three and two layers, head, classifier: each 0.5 s. The fused layers are all alike, as 8 channels enter.
    assert clock(timer, folder=tmp_path).by_layers(ARCH) == 8 * 0.5
    assert timer.timed == 6
    deeper = ARCH.replace(stages=(dataclasses.replace(ARCH.stages[0], layers=9), ARCH.stages[1]))
    assert clock(timer, folder=tmp_path).by_layers(deeper) == 14 * 0.5
    assert timer.timed == 6


def testshapes_are_the_walk_s() -> None:
    blocks, classifier = structure(ARCH)
    counts = Counter(map(shape_key, (*blocks, classifier)))
    assert sorted(counts.values()) == [1, 1, 1, 1, 1, 3]
    wider = ARCH.replace(stem=16)
    assert {shape_key(block) for block in structure(wider)[0][:2]}.isdisjoint(counts)


@pytest.mark.parametrize("name", ["efficientnetv2_s", "mobilenet_v2", "resnet50"])
def test_every_kind_of_layer_can_be_timed_alone(name: str) -> None:
    small = shrink(ss.get(name), width=0.1, resolution=32)
    assert clock(FixedTimer()).by_layers(small) == len(structure(small)[0]) + 1


def test_figures_are_over_the_baseline_s() -> None:
    def measure(arch: ss.Arch, recipe: Recipe) -> float:
        return {ARCH.key: 2.0, TWICE.key: 5.0}[arch.key]

    expected = {"step_time": 5.0, "relative_step_time": 2.5, "relative_params": 1.0}
    assert times().facts(TWICE, RECIPE, measure) == expected
    assert times().facts(ARCH, RECIPE, measure)["relative_step_time"] == 1.0


def test_global_random_numbers_are_left_as_they_were() -> None:
    state = torch.get_rng_state()
    for source in ("measured", "layers"):
        times(source=source, runs=1, warmup=0).seconds(ARCH, RECIPE)
    assert torch.equal(torch.get_rng_state(), state)


def test_every_rung_of_a_trial_carries_the_figures(tmp_path: Path) -> None:
    proxy = Proxy(width=0.5, resolution=8, images=64, epochs=2)
    training = Training("fashion-mnist-mini", RECIPE, proxy, step_times=times(tmp_path, runs=1, warmup=1))
    wide = ARCH.replace(stem=16)
    # Both networks' times are in the cache before the worker looks for them.
    clock(FixedTimer(2.0), folder=tmp_path).whole(ARCH)
    clock(FixedTimer(3.0), folder=tmp_path).whole(wide)
    job = json.loads(json.dumps({"arch": wide.to_json(), "seed": 1, **training.payload()}))
    assert Training.from_job(job) == training
    rungs = list(evaluate(job))
    assert len(rungs) == 2
    params = ss.cost(wide).params / ss.cost(ARCH).params
    for rung in rungs:
        assert (rung["step_time"], rung["relative_step_time"]) == (3.0, 1.5)
        assert rung["relative_params"] == pytest.approx(params)


@pytest.mark.parametrize(("name", "value"), [("source", "layer"), ("batch", 0), ("runs", 0), ("warmup", -1)])
def test_bad_settings(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=str(value)):
        dataclasses.replace(times(), **{name: value})  # type: ignore[arg-type]
