"""The training steps of a training-aware search: baseline network, batch size, memory (V2, Section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nas.region import SearchRegion
from nas.search.config import SearchConfig
from search_spaces.common.units import format_bytes
from search_spaces.metrics.memory import largest_batch, training_memory
from search_spaces.networks.arch import Arch
from search_spaces.spaces.staged import StagedSpace
from studies.machine import memory_here
from studies.timing.step_time import StepTimes
from studies.trainer.registry import get_recipe
from studies.workers.resources import Resources

# The default batch fits into this memory; it is the same on every machine, so that a search may move to another.
MEMORY_BUDGET = 2 << 30
MAX_BATCH = 32
# Networks of the band whose memory is computed.
SAMPLED_NETWORKS = 32


def step_times(config: SearchConfig, region: SearchRegion, folder: str) -> StepTimes:
    """How workers find step times, which are kept in `folder`."""
    baseline = baseline_of(region)
    return StepTimes(baseline.to_json(), step_batch(config, region), folder, config.objective.step_times)


def baseline_of(region: SearchRegion) -> Arch:
    """The network whose step time and parameters are 1: the one that the space varies, at the search's size.

    The paper uses the backbone of its search, too. Another network would change all rewards by the same factor.
    """
    if not isinstance(region.space, StagedSpace):
        raise ValueError(
            f"--objective training-aware needs a space of stages (StagedSpace), got {region.space!r}: choose another "
            "objective"
        )
    return region.space.reference


def step_batch(config: SearchConfig, region: SearchRegion) -> int:
    """Images in a step: --step-batch, or the largest power of two up to 32 whose steps fit `MEMORY_BUDGET`.

    Raises ValueError if not even one image fits.
    """
    if config.objective.step_batch:
        return config.objective.step_batch
    fitting = min(_largest(arch, config, MEMORY_BUDGET) for arch in [baseline_of(region), *_typical(region)])
    if fitting < 1:
        raise ValueError(
            f"a training step of one image at {baseline_of(region).resolution} px takes more than "
            f"{format_bytes(MEMORY_BUDGET)}: choose a lower --resolution or --width, or give --step-batch 1"
        )
    return min(MAX_BATCH, 1 << (fitting.bit_length() - 1))


def timing(config: SearchConfig, region: SearchRegion, archs: Sequence[Arch], device: str | None) -> float:
    """Seconds of a worker for one network's step time, measured by a step of each of some networks.

    Summing the times of layers takes at most as long, because each shape is timed once.
    """
    from studies.timing.step_clock import StepClock

    clock = StepClock.here(get_recipe(config.recipe), step_batch(config, region), 1, 1, "", device)
    return step_times(config, region, "").steps * sum(map(clock.whole, archs)) / len(archs)


def check_steps(config: SearchConfig, region: SearchRegion, resources: Resources | None) -> None:
    """Raise ValueError for a batch that does not fit into memory, and for a GPU that trials share.

    Memory is not checked on a cluster, whose resources are known only after joining it.
    """
    batch = step_batch(config, region)
    share = resources.gpus_per_trial if resources else config.workers.gpus_per_trial or 0.0
    if share % 1:
        raise ValueError(
            f"--gpus-per-trial must be a whole number, got {share:g}: --objective training-aware times steps, "
            "so trials cannot share a GPU; use 1, or 0 for CPUs"
        )
    if resources is None or share:
        return
    room = memory_here() // resources.workers
    archs = [baseline_of(region), *_typical(region)]
    largest = max(archs, key=lambda arch: training_memory(arch, batch).total)
    if (fits := _largest(largest, config, room)) < batch:
        raise ValueError(
            f"--step-batch {batch} does not fit: {resources.workers} workers have {format_bytes(room, 3)} each, enough "
            f"for {fits} images of {largest.resolution} px: choose --step-batch {max(1, fits)}, or a lower --resolution"
        )


def _largest(arch: Arch, config: SearchConfig, room: int) -> int:
    recipe = get_recipe(config.recipe)
    return largest_batch(arch, room, optimizer=recipe.optimizer, ema=bool(recipe.ema_decay))


def _typical(region: SearchRegion) -> Sequence[Arch]:
    encodings = region.space.sample(np.random.default_rng(0), SAMPLED_NETWORKS, within=region.within, of="networks")
    return [region.space.decode(region.space.choice(encoding)) for encoding in encodings]
