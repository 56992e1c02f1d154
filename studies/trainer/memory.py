"""Whether a training's steps and evaluations fit into memory, predicted from the layers before the first of them.

The prediction is of float32 (`metrics.memory`). Mixed precision takes between half of that, which is taken to be
surely needed, and all of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from search_spaces.common.units import format_bytes
from search_spaces.metrics.memory import Memory, inference_memory, largest_batch, training_memory
from search_spaces.networks.arch import Arch
from search_spaces.resizing.shrink import last_map
from studies.trainer.progressive import progressive
from studies.trainer.recipe import Recipe

FULL, HALF = 4, 2
"""Bytes of a number in float32, and in the types that mixed precision computes in."""


@dataclass(frozen=True)
class Load:
    """What one of the workers has to hold.

    arch     evaluated at its own resolution
    recipe   how it is trained, at which sizes
    workers  that share every batch
    """

    arch: Arch
    recipe: Recipe
    workers: int = 1

    @property
    def images(self) -> int:
        """Images that go through the network together in training."""
        part = math.ceil(self.recipe.batch_size / self.workers)
        return min(part, self.recipe.micro_batch or part)

    @property
    def flag(self) -> str:
        """The flag that lowers their number."""
        return "--micro-batch" if self.recipe.micro_batch else "--batch-size"

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sides of the training images in pixels, stage by stage."""
        return tuple(stage.resolution for stage in progressive(self.recipe, self.arch.resolution))

    @property
    def trained(self) -> Arch:
        """The network at the largest size it is trained at, which is not always the one it is evaluated at."""
        return self.arch.replace(resolution=max(self.sizes))

    @property
    def min_images(self) -> int:
        """The smallest number of images that a forward pass may have.

        A batch's parts differ by one image, so parts of 2 can leave a part of 1, which batch norm cannot normalise on a
        map of one pixel. Several workers share their statistics, and each needs an image of every part.
        """
        if self.workers > 1:
            return 2
        return 3 if last_map(self.arch.replace(resolution=min(self.sizes))) == 1 else 1

    def step(self, width: int = FULL) -> Memory:
        """The peak of a training step, at so many bytes a number."""
        ema = self.recipe.ema_decay > 0
        return training_memory(
            self.trained, self.images, optimizer=self.recipe.optimizer, ema=ema, bytes_per_element=width
        )

    def evaluation(self, width: int = FULL) -> int:
        """The peak of an evaluation, with what a training keeps from step to step."""
        from studies.trainer.scoring import BATCH

        step = self.step(width)
        there = inference_memory(self.arch, math.ceil(BATCH / self.workers), bytes_per_element=width)
        return step.weights + step.optimizer + there.activations + there.workspace

    def most(self, room: int) -> int:
        """The largest number of images whose step fits into `room` bytes in float32."""
        ema = self.recipe.ema_decay > 0
        return largest_batch(self.trained, room, optimizer=self.recipe.optimizer, ema=ema)


def check_parts(load: Load) -> None:
    """Raise ValueError if a batch of one image can occur that batch norm cannot normalise."""
    if load.workers == 1 and load.images < load.min_images:
        raise ValueError(
            f"{load.flag} {load.images} can leave a last batch of one image, which batch norm cannot normalise on the "
            f"1x1 map that {min(load.sizes)} px end in: use at least {load.min_images}, or a higher --resolution"
        )


def check_memory(load: Load, room: int, *, mixed: bool = False) -> tuple[str, ...]:
    """Raise ValueError, with the largest batch that fits, if a worker needs more than `room` bytes.

    In mixed precision a step needs between half of float32's memory and all of it. If only half of it fits, the result
    is a sentence that warns of it.
    """
    width = HALF if mixed else FULL
    if load.step(width).total > room:
        raise ValueError(f"{_step(load, width, room)}: {_remedy(load, room)}")
    if load.evaluation(width) > room:
        raise ValueError(
            f"evaluation at {load.arch.resolution} px needs about {format_bytes(load.evaluation(width), 3)} of memory"
            f"{_each(load)}, {format_bytes(room, 3)} are free: use a lower --resolution or a smaller network"
        )
    if load.step().total <= room:
        return ()
    return (f"Memory may run out: in float32 {_step(load, FULL, room)}; mixed precision takes less, down to half.",)


def free_memory(device: str, workers: int) -> int:
    """Bytes for each worker on this machine: of its own GPU, or an even share of the RAM."""
    if device == "cuda":
        import torch

        return min(torch.cuda.mem_get_info(index)[0] for index in range(workers))
    import psutil

    return min(int(psutil.virtual_memory().available), _container_room()) // workers


def _step(load: Load, width: int, room: int) -> str:
    return (
        f"a step of {load.images} images at {load.trained.resolution} px needs about "
        f"{format_bytes(load.step(width).total, 3)} of memory{_each(load)}, {format_bytes(room, 3)} are free"
    )


def _remedy(load: Load, room: int) -> str:
    most = load.most(room)
    if most < load.min_images:
        few = "one image fits" if load.min_images == 1 else f"{load.min_images} images fit"
        return f"not even {few}; use a smaller network or resolution"
    return f"at most {load.flag} {most if load.recipe.micro_batch else most * load.workers} fits"


def _each(load: Load) -> str:
    return " on each worker" if load.workers > 1 else ""


def _container_room() -> int:
    """Bytes left under a control group's limit; a large number without a limit."""
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = Path("/sys/fs/cgroup/memory.current").read_text().strip()
        return max(0, int(limit) - int(used))
    except (OSError, ValueError):
        return 2**63
