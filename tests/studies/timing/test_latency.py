"""Measuring latency: what is counted, under which conditions, and what is left as it was. No test looks at seconds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from search_spaces.networks.arch import Arch, Stage
from search_spaces.networks.module import build
from studies.machine import available_cores
from studies.timing import latency, timer
from studies.timing.latency import Conditions, Latency, measure, measure_all

STAGE = Stage("mbconv", kernel=3, stride=2, channels=8, layers=1, expansion=2, se=0.25)
TINY = Arch(stages=(STAGE,), stem=4, head=8, resolution=16, classes=3, activation="silu", name="tiny")


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes of the images of every forward pass in eval mode, in their order."""
    seen: list[tuple[int, ...]] = []
    whole = nn.Module.__call__

    def spy(module: nn.Module, *arguments: torch.Tensor) -> object:
        if hasattr(module, "classifier") and not module.training:
            assert torch.is_inference_mode_enabled()
            seen.append(tuple(arguments[0].shape))
        return whole(module, *arguments)

    monkeypatch.setattr(nn.Module, "__call__", spy)
    return seen


def test_a_measurement_says_how_it_was_made():
    found = measure(TINY, batch=2, runs=4, warmup=1, channels_last=True)
    assert (found.runs, found.batch, found.threads, found.device, found.channels_last) == (4, 2, 1, "cpu", True)
    assert 0 < found.low <= found.median <= found.high
    assert found.mean > 0
    assert found.std is not None
    assert found.std >= 0
    assert found.images_per_second == pytest.approx(2 / found.mean)


def test_the_summary_of_known_seconds():
    # By hand: mean 4, squares 9 + 4 + 1 + 0 + 36 = 50 over 4, quartiles the 2nd and 4th of five.
    found = Latency.of([1.0, 2.0, 3.0, 4.0, 10.0], Conditions(batch=8), channels_last=False)
    assert (found.mean, found.low, found.median, found.high, found.images_per_second) == (4, 2, 3, 4, 2)
    assert found.std == pytest.approx(math.sqrt(50 / 4))


def test_one_run_has_no_spread():
    assert measure(TINY, runs=1, warmup=0).std is None


def test_warm_up_and_runs_are_all_the_passes_there_are(passes: list[tuple[int, ...]]):
    measure(TINY, batch=3, runs=4, warmup=2)
    assert passes == [(3, 3, 16, 16)] * 6


def test_networks_take_turns(passes: list[tuple[int, ...]]):
    measure_all([TINY, TINY.replace(resolution=32)], Conditions(runs=3, warmup=1))
    # Warm-up one after the other; then in every round an untimed and a timed pass each.
    assert [shape[-1] for shape in passes] == [16, 32, *([16, 16, 32, 32] * 3)]


def test_the_clock_covers_the_timed_passes_only(monkeypatch: pytest.MonkeyPatch):
    # A clock that a pass moves by as many seconds as its image has pixels a side.
    now = 0.0

    def tick(module: nn.Module, images: torch.Tensor) -> torch.Tensor:
        nonlocal now
        now += images.shape[-1]
        return images

    monkeypatch.setattr(type(build(TINY)), "forward", tick)
    monkeypatch.setattr(timer.time, "perf_counter", lambda: now)
    found = measure_all([TINY, TINY.replace(resolution=32)], Conditions(runs=3))
    assert [(took.mean, took.std) for took in found] == [(16, 0), (32, 0)]


@pytest.mark.parametrize("channels_last", [False, True])
def test_layouts_are_those_asked_for(channels_last: bool, monkeypatch: pytest.MonkeyPatch):
    layouts = set()

    def spy(network: nn.Module, images: torch.Tensor) -> None:
        weight = next(module.weight for module in network.modules() if isinstance(module, nn.Conv2d))
        if not network.training:
            layouts.update(
                tensor.is_contiguous(memory_format=torch.channels_last) and not tensor.is_contiguous()
                for tensor in (images, weight)
            )

    monkeypatch.setattr(type(build(TINY)), "forward", spy)
    assert measure(TINY, batch=2, channels_last=channels_last, runs=1, warmup=0).channels_last is channels_last
    assert layouts == {channels_last}


@pytest.mark.parametrize("faster", [False, True])
def test_without_a_layout_the_faster_one_is_taken(faster: bool, monkeypatch: pytest.MonkeyPatch):
    now = 0.0

    def tick(network: nn.Module, images: torch.Tensor) -> None:
        nonlocal now
        now += 1 if (not images.is_contiguous()) is faster else 2

    monkeypatch.setattr(type(build(TINY)), "forward", tick)
    monkeypatch.setattr(timer.time, "perf_counter", lambda: now)
    found = measure(TINY, batch=2, channels_last=None, runs=2)
    assert (found.channels_last, found.mean) == (faster, 1)


def test_threads_and_random_numbers_are_left_as_they_were():
    before, state = torch.get_num_threads(), torch.get_rng_state()
    measure(TINY, threads=available_cores(), runs=1, warmup=0)
    with pytest.raises(ValueError, match="total stride"):
        measure(TINY.replace(resolution=3))
    assert torch.get_num_threads() == before
    assert torch.equal(torch.get_rng_state(), state)


def test_threads_are_restored_after_an_error(monkeypatch: pytest.MonkeyPatch):
    def fail(network: nn.Module, images: torch.Tensor) -> None:
        assert torch.get_num_threads() == available_cores()
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    before = torch.get_num_threads()
    monkeypatch.setattr(type(build(TINY)), "forward", fail)
    with pytest.raises(ValueError, match="batch 1 does not fit into the cpu's memory: choose a smaller batch"):
        measure(TINY, threads=available_cores())
    assert torch.get_num_threads() == before


def test_other_errors_are_not_taken_for_memory(monkeypatch: pytest.MonkeyPatch):
    def fail(network: nn.Module, images: torch.Tensor) -> None:
        raise RuntimeError("expected scalar type Half")

    monkeypatch.setattr(type(build(TINY)), "forward", fail)
    with pytest.raises(RuntimeError, match="Half"):
        measure(TINY)


def test_a_deep_network_s_activations_do_not_vanish():
    deep = TINY.replace(stages=(STAGE, Stage("sepconv", kernel=3, stride=1, channels=8, layers=60, skip="none")))
    images = torch.from_numpy(np.random.default_rng(0).normal(size=(4, 3, 16, 16)).astype(np.float32))
    network = build(deep).eval()
    with torch.inference_mode():
        assert float(network(images).abs().max()) < 1e-12
        latency._settle_norms(network, images)
        scale = float(network.eval()(images).abs().max())
    assert 1e-4 < scale < 1e2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"threads": 0}, "threads must be at least 1, got 0"),
        ({"runs": -1}, "runs must be at least 1, got -1"),
        ({"warmup": -1}, "warmup must be at least 0, got -1"),
        ({"threads": 10_000}, "threads must not exceed the .* CPU cores that can be used here, got 10000"),
        ({"device": "cdua"}, "unknown device 'cdua': did you mean 'cuda'?"),
    ],
)
def test_conditions_that_cannot_be(changes: dict[str, int], message: str):
    with pytest.raises(ValueError, match=message):
        Conditions(**changes)  # type: ignore[arg-type]


def test_a_gpu_that_is_not_there(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="device cuda needs a GPU that torch can use, and there is none"):
        Conditions(device="cuda")


def test_a_resolution_below_the_total_stride_is_named():
    with pytest.raises(ValueError, match="tiny takes images of at least 4 px, its total stride, got 3: choose"):
        measure(TINY.replace(resolution=3))


@pytest.mark.gpu
def test_a_gpu_is_waited_for():
    first, second = measure_all([TINY, TINY.replace(resolution=64)], Conditions(device="cuda", channels_last=None))
    assert first.device == second.device == "cuda"
    assert first.mean > 0
