"""Measuring latency: what is counted, under which conditions, and what is left as it was. No test looks at seconds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from search_spaces.networks.arch import Arch, Stage
from search_spaces.networks.module import build
from studies.machine import available_cores
from studies.timing.latency import Conditions, Latency, measure, measure_all, settle_norms

STAGE = Stage("mbconv", kernel=3, stride=2, channels=8, layers=1, expansion=2, se=0.25)
TINY = Arch(stages=(STAGE,), stem=4, head=8, resolution=16, classes=3, activation="silu", name="tiny")


class Probe(nn.Module):
    """A network that calls a function of itself and its images instead of computing something, in eval mode only."""

    def __init__(self, arch: Arch, seen: Callable[[nn.Module, Tensor], object]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(arch.in_channels, 2, 3)
        self.seen = seen

    def forward(self, images: Tensor) -> None:
        if not self.training:
            assert torch.is_inference_mode_enabled()
            self.seen(self, images)


def probed(archs: list[Arch], seen: Callable[[nn.Module, Tensor], object], **conditions: Any) -> list[Latency]:
    return measure_all(archs, Conditions(**conditions), network=lambda arch: Probe(arch, seen))


class Clock:
    """A timer whose clock moves only where the timed work moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def timed(self, work: Callable[[], object], device: torch.device) -> float:
        began = self.now
        work()
        return self.now - began


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


def test_warm_up_and_runs_are_all_the_passes_there_are():
    passes: list[tuple[int, ...]] = []
    probed([TINY], lambda _, images: passes.append(tuple(images.shape)), batch=3, runs=4, warmup=2)
    assert passes == [(3, 3, 16, 16)] * 6


def test_networks_take_turns():
    sides: list[int] = []
    probed([TINY, TINY.replace(resolution=32)], lambda _, images: sides.append(images.shape[-1]), runs=3, warmup=1)
    # Warm-up one after the other; then in every round an untimed and a timed pass each.
    assert sides == [16, 32, *([16, 16, 32, 32] * 3)]


def test_the_clock_covers_the_timed_passes_only():
    # A clock that a pass moves by as many seconds as its image has pixels a side.
    clock = Clock()

    def tick(_: nn.Module, images: Tensor) -> None:
        clock.now += images.shape[-1]

    archs = [TINY, TINY.replace(resolution=32)]
    found = measure_all(archs, Conditions(runs=3), network=lambda arch: Probe(arch, tick), timer=clock.timed)
    assert [(took.mean, took.std) for took in found] == [(16, 0), (32, 0)]


@pytest.mark.parametrize("channels_last", [False, True])
def test_layouts_are_those_asked_for(channels_last: bool):
    layouts = set()

    def note(network: nn.Module, images: Tensor) -> None:
        weight = next(module.weight for module in network.modules() if isinstance(module, nn.Conv2d))
        layouts.update(
            tensor.is_contiguous(memory_format=torch.channels_last) and not tensor.is_contiguous()
            for tensor in (images, weight)
        )

    (found,) = probed([TINY], note, batch=2, channels_last=channels_last, runs=1, warmup=0)
    assert found.channels_last is channels_last
    assert layouts == {channels_last}


@pytest.mark.parametrize("faster", [False, True])
def test_without_a_layout_the_faster_one_is_taken(faster: bool):
    clock = Clock()

    def tick(_: nn.Module, images: Tensor) -> None:
        clock.now += 1 if (not images.is_contiguous()) is faster else 2

    chosen = Conditions(batch=2, channels_last=None, runs=2)
    (found,) = measure_all([TINY], chosen, network=lambda arch: Probe(arch, tick), timer=clock.timed)
    assert (found.channels_last, found.mean) == (faster, 1)


def test_threads_and_random_numbers_are_left_as_they_were():
    before, state = torch.get_num_threads(), torch.get_rng_state()
    measure(TINY, threads=available_cores(), runs=1, warmup=0)
    with pytest.raises(ValueError, match="total stride"):
        measure(TINY.replace(resolution=3))
    assert torch.get_num_threads() == before
    assert torch.equal(torch.get_rng_state(), state)


def test_threads_are_restored_after_an_error():
    def fail(_: nn.Module, images: Tensor) -> None:
        assert torch.get_num_threads() == available_cores()
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    before = torch.get_num_threads()
    with pytest.raises(ValueError, match="batch 1"):
        probed([TINY], fail, threads=available_cores())
    assert torch.get_num_threads() == before


def test_other_errors_are_not_taken_for_memory():
    def fail(_: nn.Module, images: Tensor) -> None:
        raise RuntimeError("expected scalar type Half")

    with pytest.raises(RuntimeError, match="Half"):
        probed([TINY], fail)


def test_a_deep_network_s_activations_do_not_vanish():
    deep = TINY.replace(stages=(STAGE, Stage("sepconv", kernel=3, stride=1, channels=8, layers=60, skip="none")))
    images = torch.from_numpy(np.random.default_rng(0).normal(size=(4, 3, 16, 16)).astype(np.float32))
    network = build(deep).eval()
    with torch.inference_mode():
        assert float(network(images).abs().max()) < 1e-12
        settle_norms(network, images)
        scale = float(network.eval()(images).abs().max())
    assert 1e-4 < scale < 1e2


@pytest.mark.parametrize(
    "changes",
    [{"batch": 0}, {"threads": 0}, {"runs": -1}, {"warmup": -1}, {"seed": -1}, {"threads": 10_000}, {"device": "cdua"}],
)
def test_conditions_that_cannot_be(changes: dict[str, Any]):
    ((name, value),) = changes.items()
    with pytest.raises(ValueError, match=name) as caught:
        Conditions(**changes)
    assert str(value) in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there():
    with pytest.raises(ValueError, match="device cuda"):
        Conditions(device="cuda")


def test_a_resolution_below_the_total_stride_is_named():
    with pytest.raises(ValueError, match=r"tiny .* 4 px.* 3;"):
        measure(TINY.replace(resolution=3))


@pytest.mark.gpu
def test_a_gpu_is_waited_for():
    first, second = measure_all([TINY, TINY.replace(resolution=64)], Conditions(device="cuda", channels_last=None))
    assert first.device == second.device == "cuda"
    assert first.mean > 0
