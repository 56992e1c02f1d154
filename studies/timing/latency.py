"""Measured latency of a network's forward pass on this machine, under the conditions of the papers' tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from search_spaces.common.suggest import nearest
from search_spaces.networks.arch import Arch
from search_spaces.networks.module import build
from studies.machine import available_cores
from studies.outcome import Outcome, classify
from studies.timing.timer import Timer, thread_count, timed
from studies.trainer.segments import derive_seed, seeded

DEVICES = ("cpu", "cuda")
# Timed passes in each memory layout, to choose the faster layout.
LAYOUT_PASSES = 3
Build = Callable[[Arch], nn.Module]


@dataclass(frozen=True)
class Conditions:
    """How latency is measured; the defaults are those of EN, section 5 (one core, batch size 1, 20 runs).

    Raises ValueError for conditions that this machine cannot meet.

    Attributes:
        batch: Images in one forward pass.
        threads: CPU threads of torch.
        runs: Timed passes.
        warmup: Untimed passes before them.
        channels_last: Memory layout of images and weights; None chooses the faster one for each network.
        device: cpu or cuda.
        seed: Random seed of weights and images.

    """

    batch: int = 1
    threads: int = 1
    runs: int = 20
    warmup: int = 5
    channels_last: bool | None = False
    device: str = "cpu"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, minimum in {"batch": 1, "threads": 1, "runs": 1, "warmup": 0, "seed": 0}.items():
            if getattr(self, name) < minimum:
                raise ValueError(f"{name} must be at least {minimum}, got {getattr(self, name)}")
        cores = available_cores()
        if self.threads > cores:
            raise ValueError(f"threads must not exceed the {cores} available CPU cores, got {self.threads}")
        if self.device not in DEVICES:
            raise ValueError(f"unknown device '{self.device}'{nearest(self.device, DEVICES)}")
        if self.device == "cuda" and not torch.cuda.is_available():
            raise ValueError("device cuda needs a GPU that torch can use, and there is none; use device cpu")


@dataclass(frozen=True)
class Latency:
    """Wall-clock seconds of one forward pass of a batch.

    mean, median  of the runs
    std           sample standard deviation of the runs; None if there is only one run
    low, high     lower and upper quartile of the runs
    runs, batch, threads, device, channels_last  how it was measured
    """

    mean: float
    median: float
    std: float | None
    low: float
    high: float
    runs: int
    batch: int
    threads: int
    device: str
    channels_last: bool

    @classmethod
    def of(cls, seconds: Sequence[float], conditions: Conditions, channels_last: bool) -> Latency:
        """The summary of the runs' seconds."""
        low, median, high = (float(value) for value in np.quantile(seconds, (0.25, 0.5, 0.75)))
        return cls(
            mean=float(np.mean(seconds)),
            median=median,
            std=float(np.std(seconds, ddof=1)) if len(seconds) > 1 else None,
            low=low,
            high=high,
            runs=len(seconds),
            batch=conditions.batch,
            threads=conditions.threads,
            device=conditions.device,
            channels_last=channels_last,
        )

    @property
    def images_per_second(self) -> float:
        """Images in a batch over the mean seconds."""
        return self.batch / self.mean


def measure(
    arch: Arch,
    *,
    batch: int = 1,
    threads: int = 1,
    runs: int = 20,
    warmup: int = 5,
    channels_last: bool | None = False,
    device: str = "cpu",
    seed: int = 0,
) -> Latency:
    """The latency of one network; see `Conditions` for the arguments and `measure_all` for what is measured."""
    conditions = Conditions(batch, threads, runs, warmup, channels_last, device, seed)
    return measure_all([arch], conditions)[0]


def measure_all(
    archs: Sequence[Arch], conditions: Conditions | None = None, *, network: Build = build, timer: Timer = timed
) -> list[Latency]:
    """The latency of each network with random weights, in eval mode, float32, at its own resolution.

    The images [batch, channels, S, S] are on the device before the clock starts; the clock stops when the device has
    finished. The networks take turns, one run each, so that a change of the machine's speed affects all of them alike.

    Args:
        archs: the networks
        conditions: how they are measured; default: `Conditions()`
        network: builds the module that is timed
        timer: takes a forward pass and its device, makes the pass once and returns its seconds

    Raises ValueError for a resolution below a network's total stride, and if memory runs out.

    """
    chosen = conditions or Conditions()
    for arch in archs:
        _check_resolution(arch)
    try:
        with thread_count(chosen.threads), torch.inference_mode():
            subjects = [_Subject.of(arch, chosen, network, timer) for arch in archs]
            seconds = _take_turns(subjects, chosen)
    except (RuntimeError, MemoryError) as error:
        if classify(error) is not Outcome.OUT_OF_MEMORY:
            raise
        raise ValueError(
            f"batch {chosen.batch} does not fit into the memory of device {chosen.device}; use a smaller batch, a "
            "lower resolution or fewer networks at once"
        ) from None
    return [Latency.of(row, chosen, subject.channels_last) for row, subject in zip(seconds, subjects, strict=True)]


@dataclass(frozen=True, eq=False)
class _Subject:
    """A network ready to be timed, with its images."""

    network: nn.Module
    images: Tensor
    timer: Timer
    channels_last: bool = False

    @classmethod
    def of(cls, arch: Arch, conditions: Conditions, build_network: Build, timer: Timer) -> _Subject:
        device = torch.device(conditions.device)
        with seeded(derive_seed(conditions.seed), torch.device("cpu")):
            network = build_network(arch).to(device)
            images = torch.randn(conditions.batch, arch.in_channels, arch.resolution, arch.resolution).to(device)
            pair = torch.randn(2, arch.in_channels, arch.resolution, arch.resolution).to(device)
        settle_norms(network, pair)
        subject = cls(network.eval(), images, timer)
        if conditions.channels_last is None:
            return subject.in_layout(subject.prefers_channels_last())
        return subject.in_layout(conditions.channels_last)

    def in_layout(self, channels_last: bool) -> _Subject:
        layout = torch.channels_last if channels_last else torch.contiguous_format
        self.network.to(memory_format=layout)
        images = self.images.contiguous(memory_format=layout)
        return _Subject(self.network, images, self.timer, channels_last)

    def prefers_channels_last(self) -> bool:
        """Whether the best of a few passes is faster in the channels_last layout."""
        best = []
        for channels_last in (False, True):
            subject = self.in_layout(channels_last)
            subject.seconds()
            best.append(min(subject.seconds() for _ in range(LAYOUT_PASSES)))
        return best[1] < best[0]

    def seconds(self) -> float:
        """Seconds of one forward pass, from the call until the device has finished."""
        return self.timer(lambda: self.network(self.images), self.images.device)


def _take_turns(subjects: Sequence[_Subject], conditions: Conditions) -> list[list[float]]:
    """Seconds of every subject's runs."""
    for subject in subjects:
        for _ in range(conditions.warmup):
            subject.seconds()
    rows: list[list[float]] = [[] for _ in subjects]
    for _ in range(conditions.runs):
        for subject, row in zip(subjects, rows, strict=True):
            if len(subjects) > 1:
                # An untimed pass first: the previous network has left its own weights in the caches.
                subject.seconds()
            row.append(subject.seconds())
    return rows


def settle_norms(network: nn.Module, images: Tensor) -> None:
    """Set the batch norms' statistics from some images, so that activations have the scale of a trained network.

    With initial statistics activations shrink from layer to layer (to 1e-17 in EfficientNet-B7). A deeper network
    would end in denormal numbers, which are far slower on a CPU.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    network.train()(images)


def _check_resolution(arch: Arch) -> None:
    if arch.resolution < arch.total_stride:
        name = arch.name or arch.key
        raise ValueError(
            f"{name} needs images of at least {arch.total_stride} px, its total stride, got {arch.resolution}; use a "
            "higher resolution"
        )
