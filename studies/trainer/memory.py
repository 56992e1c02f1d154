"""Whether a training's steps and evaluations fit into memory, predicted from the network's layers.

The prediction (`metrics.memory`) holds for float32. Mixed precision needs between half of that and all of it: a
training is refused if half of it does not fit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from search_spaces.common.text import pluralise
from search_spaces.common.units import format_bytes
from search_spaces.metrics.memory import Memory, inference_memory, largest_batch, training_memory
from search_spaces.networks.arch import Arch
from search_spaces.resizing.shrink import last_map
from studies.trainer.progressive import training_stages
from studies.trainer.recipe import Recipe

# Bytes of a number in float32, and in float16 and bfloat16.
FLOAT32_BYTES, HALF_PRECISION_BYTES = 4, 2
# The free bytes below a control group's limit if there is no limit: more than any machine has.
UNLIMITED_BYTES = 2**63


@dataclass(frozen=True)
class MemoryDemand:
    """The memory that each worker of a training needs.

    arch     the network, at the resolution of the evaluated images
    recipe   how it is trained
    workers  number of workers that share every batch
    """

    arch: Arch
    recipe: Recipe
    workers: int = 1

    @property
    def images(self) -> int:
        """Images per forward pass of a worker in training."""
        part = math.ceil(self.recipe.batch_size / self.workers)
        return min(part, self.recipe.micro_batch or part)

    @property
    def flag(self) -> str:
        """The flag that sets the number of images per forward pass."""
        return "--micro-batch" if self.recipe.micro_batch else "--batch-size"

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sides of the training images in pixels, stage by stage."""
        return tuple(stage.resolution for stage in training_stages(self.recipe, self.arch.resolution))

    @property
    def trained(self) -> Arch:
        """The network at the largest resolution of its training, which can differ from that of its evaluation."""
        return self.arch.replace(resolution=max(self.sizes))

    @property
    def min_images(self) -> int:
        """The smallest valid `images`.

        The parts of a batch differ by at most one image, so parts of 2 can come with a part of 1, which batch norm
        cannot normalise on a map of one pixel. Several workers share the statistics of batch norm, and each of them
        needs an image of every part.
        """
        if self.workers > 1:
            return 2
        return 3 if last_map(self.arch.replace(resolution=min(self.sizes))) == 1 else 1

    def step(self, bytes_per_element: int = FLOAT32_BYTES) -> Memory:
        """The peak of a training step."""
        ema = self.recipe.ema_decay > 0
        return training_memory(
            self.trained, self.images, optimizer=self.recipe.optimizer, ema=ema, bytes_per_element=bytes_per_element
        )

    def evaluation(self, bytes_per_element: int = FLOAT32_BYTES) -> int:
        """The peak of an evaluation in bytes, with the weights and optimizer state of the training."""
        # Late, because it imports torch.
        from studies.trainer.scoring import EVALUATION_BATCH_SIZE

        step = self.step(bytes_per_element)
        images = math.ceil(EVALUATION_BATCH_SIZE / self.workers)
        forward = inference_memory(self.arch, images, bytes_per_element=bytes_per_element)
        return step.weights + step.optimizer + forward.activations + forward.workspace

    def max_images(self, free_bytes: int) -> int:
        """The largest number of images whose training step fits into `free_bytes` in float32."""
        ema = self.recipe.ema_decay > 0
        return largest_batch(self.trained, free_bytes, optimizer=self.recipe.optimizer, ema=ema)


def check_parts(demand: MemoryDemand) -> None:
    """Raise ValueError if a batch of one image can occur that batch norm cannot normalise."""
    if demand.workers == 1 and demand.images < demand.min_images:
        raise ValueError(
            f"{demand.flag} {demand.images} can leave a last batch of one image, which batch norm cannot normalise on "
            f"the 1x1 map that images of {min(demand.sizes)} px end in: use at least {demand.min_images}, or a higher "
            "--resolution"
        )


def check_memory(demand: MemoryDemand, free_bytes: int, *, mixed: bool = False) -> tuple[str, ...]:
    """Raise ValueError, with the largest batch that fits, if a worker needs more than `free_bytes`.

    mixed  whether precision is mixed: only a training whose half does not fit is refused, and if not all of it fits in
           float32 the result is one sentence of warning. In all other cases the result is empty
    """
    width = HALF_PRECISION_BYTES if mixed else FLOAT32_BYTES
    if demand.step(width).total > free_bytes:
        raise ValueError(f"{_describe_step(demand, width, free_bytes)}: {_remedy(demand, free_bytes)}")
    if demand.evaluation(width) > free_bytes:
        raise ValueError(
            f"evaluation at {demand.arch.resolution} px needs about {format_bytes(demand.evaluation(width), 3)} of "
            f"memory{_on_each(demand)}, {format_bytes(free_bytes, 3)} are free: use a lower --resolution or a smaller "
            "network"
        )
    if demand.step().total <= free_bytes:
        return ()
    step = _describe_step(demand, FLOAT32_BYTES, free_bytes)
    return (f"Memory may run out: in float32 {step}; mixed precision needs less, at best half.",)


def free_memory(device: str, workers: int) -> int:
    """Free bytes for each of the workers on this machine: on its own GPU, or an even share of the RAM."""
    if device == "cuda":
        import torch

        return min(torch.cuda.mem_get_info(index)[0] for index in range(workers))
    import psutil

    return min(int(psutil.virtual_memory().available), _free_in_control_group()) // workers


def _describe_step(demand: MemoryDemand, bytes_per_element: int, free_bytes: int) -> str:
    return (
        f"a step of {demand.images} images at {demand.trained.resolution} px needs about "
        f"{format_bytes(demand.step(bytes_per_element).total, 3)} of memory{_on_each(demand)}, "
        f"{format_bytes(free_bytes, 3)} are free"
    )


def _remedy(demand: MemoryDemand, free_bytes: int) -> str:
    images = demand.max_images(free_bytes)
    if images < demand.min_images:
        return (
            f"use a smaller network or resolution, because not even {pluralise(demand.min_images, 'image')} would fit"
        )
    return f"use at most {demand.flag} {images if demand.recipe.micro_batch else images * demand.workers}"


def _on_each(demand: MemoryDemand) -> str:
    return " on each worker" if demand.workers > 1 else ""


def _free_in_control_group() -> int:
    """Free bytes below the limit of the process's control group (cgroup v2), such as a container's."""
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = Path("/sys/fs/cgroup/memory.current").read_text().strip()
        return max(0, int(limit) - int(used))
    except (OSError, ValueError):
        return UNLIMITED_BYTES
