"""The plan of a training, and everything that can be wrong with it before its first step."""

from __future__ import annotations

import math
from dataclasses import dataclass

from search_spaces.common.checks import as_flags
from search_spaces.common.text import align_facts, pluralise
from search_spaces.common.units import format_bytes, format_count, format_duration
from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch
from search_spaces.zoo.registry import find
from studies.data.registry import class_count, native_pixels
from studies.machine import available_cores, gpus_here
from studies.train.config import TrainConfig
from studies.trainer.memory import MemoryDemand, check_memory, check_parts, free_memory
from studies.trainer.progressive import check_sizes
from studies.trainer.recipe import Recipe
from studies.trainer.registry import published_dropout

# The paper of this recipe gives each network its own dropout.
PAPER_RECIPE = "efficientnet"
# Images that a dry run times.
TIMED_IMAGES = 320


@dataclass(frozen=True)
class TrainPlan:
    """A training with all its settings known.

    config   the user's settings
    arch     the network at the training's resolution, for the classes of the data set
    recipe   the recipe with the epochs, batch size and other settings of the user
    device   cpu or cuda
    threads  CPU threads of each worker
    notes    sentences that the user should read before the training starts
    """

    config: TrainConfig
    arch: Arch
    recipe: Recipe
    device: str
    threads: int
    notes: tuple[str, ...]

    @property
    def gpus(self) -> float | None:
        """GPUs of each worker; None on a cluster, where they are shared evenly."""
        if self.device == "cpu":
            return 0
        return None if self.config.workers.ray_address else 1


@dataclass(frozen=True, slots=True)
class Pace:
    """Number of training images per epoch, and seconds of training for one of them, without evaluation."""

    images: int
    seconds: float


def prepare(config: TrainConfig) -> TrainPlan:
    """The plan of a training. Raises ValueError for everything that cannot work; writes nothing."""
    arch = _arch(config)
    recipe, notes = _recipe(config, arch)
    check_sizes(recipe, arch, "resolution")
    device = _device(config)
    threads = _threads(config)
    mixed = _is_mixed(recipe, device)
    if recipe.batch_size < 2 * config.workers.number and config.is_together:
        raise ValueError(
            f"--batch-size {recipe.batch_size} is too small for {pluralise(config.workers.number, 'worker')}: each "
            f"needs at least 2 images of a batch; use at least --batch-size {2 * config.workers.number}"
        )
    if config.is_together and recipe.micro_batch == 1:
        raise ValueError(
            "--micro-batch 1 is too small for several workers, whose parts of a batch may differ by one image: use at "
            "least --micro-batch 2"
        )
    demand = MemoryDemand(arch, recipe, config.workers.number)
    check_parts(demand)
    notes += (*_size_notes(arch, config), *_init_notes(arch, recipe, config))
    if not config.workers.ray_address:
        # On a cluster each worker checks the memory of its own machine.
        notes += check_memory(demand, free_memory(device, config.workers.number), mixed=mixed)
    return TrainPlan(config, arch, recipe, device, threads, tuple(notes))


def measure_pace(plan: TrainPlan) -> Pace:
    """Trains on a few hundred images. Raises ValueError for more --images than there are."""
    import torch

    from studies.data.dataset import check_images
    from studies.data.load import load_configured
    from studies.data.splits import View
    from studies.trainer.loop import train

    config = plan.config
    torch.set_num_threads(plan.threads)
    data = load_configured(config.data, seed=config.seed, validation=config.validation)
    check_images(config.images, data)
    timed = max(TIMED_IMAGES, 2 * plan.recipe.batch_size)
    view = View(plan.arch.resolution, torch.device(plan.device))
    first = next(train(plan.arch, data, plan.recipe, seed=config.seed, view=view, images=timed))
    return Pace(config.images or len(data.train), first.train_seconds / first.images)


def describe_plan(plan: TrainPlan, pace: Pace | None = None) -> str:
    """The plan as text, with its expected time. Without a `pace` it is measured on a short training in this process."""
    config, recipe = plan.config, plan.recipe
    demand = MemoryDemand(plan.arch, recipe, config.workers.number)
    pace = measure_pace(plan) if pace is None else pace
    threads = pluralise(plan.threads, "thread")
    epoch = pace.images * pace.seconds
    total = epoch * recipe.epochs * config.seeds
    rows = {
        "network": describe_network(plan.arch),
        "data": config.data.dataset,
        "recipe": describe_recipe(plan),
        "memory": f"about {format_bytes(demand.step().total, 3)} at the peak of a step{_each(config)}",
        "speed": f"{1 / pace.seconds:,.0f} images/s in one process, {threads} ({plan.device})",
        "time": f"about {_round(epoch)} per epoch, {_round(total)} in total without early stopping",
    }
    if config.is_together:
        rows["workers"] = (
            f"{config.workers.number}, each trains on its part of every batch; speed and time are those of one"
        )
    return "\n".join([align_facts(rows), *plan.notes])


def describe_network(arch: Arch) -> str:
    """One line: name, resolution, cost and classes."""
    spent = cost(arch)
    return (
        f"{arch.name or arch.key} at {arch.resolution} px, {format_count(spent.macs, 4)} FLOPs (multiply-adds), "
        f"{format_count(spent.params, 4)} parameters, {arch.classes} classes"
    )


def describe_recipe(plan: TrainPlan) -> str:
    """One line: the name of the recipe and its main settings."""
    recipe = plan.recipe
    parts = [
        f"{pluralise(recipe.epochs, 'epoch')}, batches of {recipe.batch_size}, {recipe.optimizer}, lr {recipe.lr:g}",
        f"dropout {recipe.dropout:g}" if recipe.dropout else "",
        recipe.precision if recipe.precision != "auto" else "",
        f"gradients clipped to {recipe.clip_norm:g}" if recipe.clip_norm else "",
        f"stops after {pluralise(recipe.patience, 'epoch')} without improvement" if recipe.patience else "",
    ]
    return f"{plan.config.recipe}: {', '.join(filter(None, parts))}; {pluralise(plan.config.seeds, 'seed')}"


def _arch(config: TrainConfig) -> Arch:
    arch = find(config.arch)
    side = config.resolution or arch.resolution
    if side < arch.total_stride:
        raise ValueError(
            f"--resolution {side} is below the network's total stride, so its last map would have no pixel: use at "
            f"least {arch.total_stride}"
        )
    if arch.in_channels != 3:
        raise ValueError(f"--arch {config.arch} has in_channels {arch.in_channels}, but images have 3: change it to 3")
    return arch.replace(resolution=side, classes=class_count(config.data.dataset, config.data.root))


def _recipe(config: TrainConfig, arch: Arch) -> tuple[Recipe, list[str]]:
    """The recipe with the published dropout of the network, and a note if that differs from the recipe's."""
    recipe = config.schedule
    published = published_dropout(arch) if config.recipe == PAPER_RECIPE and config.dropout is None else None
    if published is None or published[1] == recipe.dropout:
        return recipe, []
    name, dropout = published
    note = f"Dropout is {dropout:g}, as published for {name}, instead of {recipe.dropout:g}; --dropout sets another."
    return recipe.with_dropout(dropout), [note]


def _device(config: TrainConfig) -> str:
    if config.workers.ray_address:
        return "cpu" if config.device == "cpu" else "cuda"
    gpus = 0 if config.device == "cpu" else int(gpus_here())
    if config.device == "cuda" and not gpus:
        raise ValueError("--device cuda: torch finds no GPU on this machine; use --device cpu")
    if gpus and config.workers.number > gpus:
        raise ValueError(
            f"--workers {config.workers.number} needs as many GPUs, but there are {gpus}: use at most "
            f"--workers {gpus}, or --device cpu"
        )
    return "cuda" if gpus else "cpu"


def _threads(config: TrainConfig) -> int:
    cores = available_cores()
    threads = max(1, config.workers.cpus_per_worker)
    if not config.workers.ray_address and config.workers.number * threads > cores:
        raise ValueError(
            f"--workers {config.workers.number} with {pluralise(threads, 'thread')} each need more than the {cores} "
            "cores there are: use fewer --workers or --cpus-per-worker"
        )
    return config.workers.cpus_per_worker or max(1, cores // config.workers.number)


def _is_mixed(recipe: Recipe, device: str) -> bool:
    """Whether the training uses mixed precision. Raises ValueError if the CPU does not support it."""
    import torch

    from studies.trainer.gradients import compute_type

    if device != "cpu":
        return recipe.precision != "float32"
    with as_flags({"precision": "precision"}):
        return compute_type(recipe.precision, torch.device(device)) is not torch.float32


def _size_notes(arch: Arch, config: TrainConfig) -> list[str]:
    pixels = native_pixels(config.data.dataset, config.data.root)
    if arch.resolution <= pixels:
        return []
    return [f"The images have {pixels} px and are enlarged to {arch.resolution} px; --resolution {pixels} costs less."]


def _init_notes(arch: Arch, recipe: Recipe, config: TrainConfig) -> list[str]:
    """A note about the initial weights. Raises ValueError if they do not fit the network."""
    if not config.init:
        return []
    from studies.trainer.loop import new_network
    from studies.trainer.pretrained import initialise_from

    classes = initialise_from(new_network(arch, recipe, config.seed), config.init)
    other = (
        "" if classes is None else f"; its classifier for {classes} classes is replaced by a new one for {arch.classes}"
    )
    return [f"Training starts from {config.init}{other}."]


def _each(config: TrainConfig) -> str:
    return " on each worker" if config.workers.number > 1 else ""


def _round(seconds: float) -> str:
    return format_duration(float(round(seconds, -1) if seconds > 100 else math.ceil(seconds)))
