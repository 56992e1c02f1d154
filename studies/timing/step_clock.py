"""Measured seconds of a training step: of whole networks, or summed over their layers."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from search_spaces.networks.arch import Arch
from search_spaces.networks.blocks import Block, Classifier
from search_spaces.networks.layers import structure
from search_spaces.networks.module import ShortcutBlock
from studies.data.splits import TensorSplit, View
from studies.timing.timer import TimeCache, Timer, device_name, timed
from studies.trainer.gradients import autocast
from studies.trainer.loader import Loader
from studies.trainer.loop import fit, start
from studies.trainer.recipe import Recipe
from studies.trainer.scoring import choose_device
from studies.trainer.segments import Segment, seeded

# The timed steps are the first of a training of this length: learning rates are low there and losses finite.
TRAINING_STEPS = 1000
# No augmentation, at the network's own resolution: resizing and mixing of images must not be part of a step's time.
PLAIN: dict[str, Any] = {"augment": "none", "size": 1.0, "mixup": 0.0, "cutmix": 0.0}
Part = Block | Classifier


@dataclass(frozen=True)
class StepClock:
    """Measures training steps of `batch` images under a recipe on a device, and caches the times.

    A step is the trainer's own: conversion of images to float, forward pass, loss, backward pass, optimizer, average of
    weights. The recipe's augmentation is left out. `timer` makes a step once and returns its seconds.
    """

    recipe: Recipe
    batch: int
    runs: int
    warmup: int
    cache: TimeCache
    device: torch.device
    timer: Timer = timed

    @classmethod
    def here(
        cls,
        recipe: Recipe,
        batch: int,
        runs: int,
        warmup: int,
        folder: str,
        device: str | None = None,
        timer: Timer = timed,
    ) -> StepClock:
        """The clock of this process; the default device is the one that training uses."""
        plain = recipe.replace(batch_size=batch, micro_batch=0, stages=1, epochs=1, **PLAIN)
        return cls(plain, batch, runs, warmup, TimeCache(folder), choose_device(device), timer)

    def whole(self, arch: Arch) -> float:
        """Seconds of a step of the network at its own resolution: the median of the runs."""
        facts = {"network": arch.key, "resolution": arch.resolution, **self._conditions()}
        return self.cache.seconds(arch.key, facts, lambda: self._clock(self._training(arch)))

    def by_layers(self, arch: Arch) -> float:
        """Seconds of a step as the sum over the network's blocks, each different shape measured once on random maps."""
        blocks, classifier = structure(arch)
        parts: list[Part] = [*blocks, classifier]
        counts, examples = Counter(map(shape_key, parts)), {shape_key(part): part for part in parts}
        return sum(counts[shape] * self._part(part, shape, arch) for shape, part in examples.items())

    def _part(self, part: Part, shape: str, arch: Arch) -> float:
        facts = {"layer": json.loads(shape), **self._conditions()}
        name = hashlib.sha256(shape.encode()).hexdigest()[:16]
        return self.cache.seconds(name, facts, lambda: self._clock(self._layer_step(part, arch)))

    def _conditions(self) -> dict[str, Any]:
        return {
            "batch": self.batch,
            "device": device_name(self.device),
            "threads": torch.get_num_threads() if self.device.type == "cpu" else 1,
            "timed": [self.runs, self.warmup],
            "recipe": dataclasses.asdict(self.recipe),
            "torch": torch.__version__,
        }

    def _clock(self, step: Callable[[], object]) -> Sequence[float]:
        for _ in range(self.warmup):
            step()
        return [self.timer(step, self.device) for _ in range(self.runs)]

    def _training(self, arch: Arch) -> Callable[[], object]:
        """One step of the training loop on random images that are already on the device."""
        view = View(arch.resolution, self.device, self.recipe.channels_last)
        shape = (self.batch, arch.in_channels, arch.resolution, arch.resolution)
        generator = torch.Generator().manual_seed(0)
        images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        labels = torch.randint(0, arch.classes, (self.batch,), generator=generator)
        scale = torch.full((arch.in_channels,), 127.5)
        split = TensorSplit(images, labels, scale, scale).to(self.device)
        state, loader = start(arch, self.recipe, view, seed=0), Loader(split, self.recipe, view, seed=0)
        return lambda: fit(state, loader, Segment(epoch=0, start=0, first=0, last=1, total=TRAINING_STEPS))

    def _layer_step(self, part: Part, arch: Arch) -> Callable[[], object]:
        """One step of a single block: forward, backward into its input and weights, its share of the optimizer."""
        first = part.pool if isinstance(part, Classifier) else part.layers[0]
        layout = torch.channels_last if self.recipe.channels_last else torch.contiguous_format
        view = View(first.in_size, self.device, self.recipe.channels_last)
        with seeded(0, self.device):
            state = start(_module(part, arch.norm_eps), self.recipe, view, seed=0)
            maps = torch.randn(self.batch, first.in_channels, first.in_size, first.in_size, device=self.device)
            maps = maps.contiguous(memory_format=layout)
            with torch.no_grad(), autocast(self.recipe.precision, self.device):
                output_gradient = torch.randn_like(state.model.train()(maps))
        # The first layer's input is the images, which need no gradient; every other input does.
        maps.requires_grad_(first.name != "stem.conv")

        def step() -> None:
            with autocast(self.recipe.precision, self.device):
                result: Tensor = state.model(maps)
            torch.autograd.backward([result], [output_gradient])
            state.optimizer.step()
            state.optimizer.zero_grad()
            maps.grad = None
            if state.average:
                state.average.update_parameters(state.model)

        return step


def _module(part: Part, norm_eps: float) -> nn.Module:
    if isinstance(part, Block):
        return ShortcutBlock(part, 0.0, norm_eps)
    linear = nn.Linear(part.linear.in_channels, part.linear.out_channels)
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear)


def shape_key(part: Part) -> str:
    """Everything that a block's time depends on, as JSON: its layers without their names."""
    fields = [dataclasses.asdict(layer) for layer in part.layers]
    return json.dumps([[value for name, value in layer.items() if name != "name"] for layer in fields])
