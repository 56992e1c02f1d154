"""The controls of a search: chosen by its settings, and refused if a worker has no memory to train them."""

from __future__ import annotations

from nas.controls.choose import choose
from nas.controls.control import Controls
from nas.region import SearchRegion
from nas.search.config import SearchConfig
from search_spaces.common.units import format_bytes
from search_spaces.metrics.memory import training_memory
from search_spaces.networks.arch import Arch
from studies.machine import memory_here
from studies.trainer.registry import get_recipe
from studies.workers.resources import Resources


def choose_controls(config: SearchConfig, region: SearchRegion, resources: Resources | None) -> Controls:
    """The controls of a search. Raises ValueError as `nas.controls.choose.choose` does, and if none is left to compare.

    Memory is checked for workers without a GPU on this machine.
    """
    room = None if resources is None or resources.gpus_per_trial else memory_here() // resources.workers
    asked = config.controls
    controls = choose(
        region,
        config.target_value,
        asked.names,
        asked.random,
        seed=config.seed,
        problem=lambda arch: "" if room is None else _too_large(arch, config, room),
    )
    if asked.only and not controls.known:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in controls.left_out.items())
        raise ValueError(f"--only-controls needs a network to train, but none is left ({reasons}): name another")
    return controls


def _too_large(arch: Arch, config: SearchConfig, room: int) -> str:
    """What a training step of the network's proxy needs beyond a worker's memory; empty if it fits."""
    recipe = get_recipe(config.recipe)
    conditions, images = recipe.conditions, recipe.micro_batch or recipe.batch_size
    needed = training_memory(config.proxy.arch(arch), images, optimizer=conditions.optimizer, ema=conditions.ema).total
    if needed <= room:
        return ""
    return f"its training needs {format_bytes(needed, 3)} of memory, and a worker has {format_bytes(room, 3)}"
