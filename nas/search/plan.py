"""What a search is going to do, said before it does it: `--dry-run`."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from nas.region import SearchRegion
from nas.search.config import EXTENDABLE, RESUMABLE, SearchConfig
from nas.search.step_times import baseline_of, step_batch, timing
from search_spaces.common.text import pluralise
from search_spaces.common.units import format_count, format_duration
from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch
from studies.trainer.registry import get_recipe
from studies.workers.resources import Resources

# Networks that are timed, and images they are timed on.
SAMPLE, IMAGES = 3, 320
# A recipe that is made for more than so many times the proxies' epochs is warned of: only its schedule is pressed into
# them, while learning rate, weight average and batch-norm momentum stay those of a long training.
PRESSED = 20


def check(config: SearchConfig) -> tuple[SearchRegion, Resources | None]:
    """Everything that can be found wrong before compute is spent: data set, target, band, resources.

    What a cluster has is known only once it is joined.
    """
    from nas.region import SearchRegion
    from nas.search.step_times import baseline_of, check_steps
    from studies.data.registry import class_count
    from studies.trainer.progressive import check_sizes
    from studies.trainer.registry import get_recipe
    from studies.workers.resources import settle_here

    region, resources = SearchRegion.of(config, class_count(config.dataset)), settle_here(config.execution)
    # All networks of a space have its reference's strides.
    recipe = config.proxy.recipe(get_recipe(config.recipe))
    check_sizes(recipe, config.proxy.arch(baseline_of(region)), "proxy.resolution")
    if config.objective_function.needs_step_times:
        check_steps(config, region, resources)
    return region, resources


def finished(config: SearchConfig) -> str | None:
    """What a finished run of this size, or a greater one, said; None where there is something to do."""
    from studies.runs.command import finished_report

    if config.new:
        return None
    said = finished_report(config.run, config.settings(), resumable=RESUMABLE, extendable=EXTENDABLE)
    return said and f"{said}; a higher --trials goes on with it."


def describe(config: SearchConfig, region: SearchRegion, resources: Resources | None) -> str:
    """The plan as text: space, band, cost of a trial (measured on a few short trainings), expected time.

    Without resources, which on a cluster only joining it tells, the trials are timed here and no total is given.
    """
    archs, proxy = _typical(region), config.proxy
    device = None if resources is None or resources.gpus_per_trial else "cpu"
    pace = _pace(config, archs, device)
    # On a cluster steps may fit that do not fit here.
    stepping = (
        timing(config, region, archs, device) if config.objective_function.needs_step_times and resources else 0.0
    )
    images = _images(config, pace.images)
    trial = proxy.epochs * (images * pace.image + pace.judging)
    finalist = config.finalist_epochs * (pace.images * pace.image + pace.judging)
    size = format_count(round(sum(cost(proxy.arch(arch)).macs for arch in archs) / len(archs)), 3)
    rows = {
        "space": f"{config.space}: {_power(region.space.size)} encodings",
        "near the target": f"{_power(int(region.inside))} different networks between "
        f"{format_count(region.band[0], 4)} and {format_count(region.band[1], 4)} FLOPs (multiply-adds)",
        "objective": config.objective_function.described,
        **_steps(config, region, stepping),
        "sampler": f"{config.sampler_name}, {config.trials} candidates, early stopping: {_stopping(config)}",
        "a candidate": f"proxy of width x{proxy.width:g} at {proxy.resolution} px, {size} multiply-adds: "
        f"{proxy.epochs} x {images} images, about {_round(trial)}",
        "finalists": f"{config.finalists} x {config.finalist_seeds} seeds: "
        f"{config.finalist_epochs} x {pace.images} images, about {_round(finalist)} each",
        **_hardware(config, resources, trial, finalist, stepping),
    }
    width = max(map(len, rows))
    lines = [f"{name:<{width}}  {text}" for name, text in rows.items()]
    return "\n".join(filter(None, [*lines, warning(config, pace.images)]))


def warning(config: SearchConfig, images: int) -> str:
    """What to say, in a line, of a recipe that is made for far more epochs than the proxies have; mostly nothing.

    `images` are the training images there are.
    """
    recipe, epochs = get_recipe(config.recipe), config.proxy.epochs
    if recipe.epochs <= PRESSED * epochs:
        return ""
    steps = epochs * math.ceil(_images(config, images) / recipe.batch_size)
    return (
        f"warning: recipe {config.recipe} is made for {recipe.epochs} epochs; with its schedule pressed into the "
        f"proxies' {epochs} ({pluralise(steps, 'step')}) they may learn too little to be ranked: --recipe quick "
        "is for so few"
    )


def _images(config: SearchConfig, images: int) -> int:
    """Training images of a proxy's epoch."""
    return min(config.proxy.images or images, images)


def _steps(config: SearchConfig, region: SearchRegion, stepping: float) -> dict[str, str]:
    """How step times are had, where the objective needs them; `stepping` is what one takes in seconds, 0 unknown."""
    if not config.objective_function.needs_step_times:
        return {}
    base, batch = baseline_of(region), step_batch(config, region)
    how = "timed before its proxy is trained"
    taken = f"about {_round(stepping)} each"
    if config.step_times == "layers":
        how, taken = "summed from its layers' times", f"at most {taken}"
    spent = f"{format_count(cost(base).macs, 4)} FLOPs, {format_count(cost(base).params, 4)} params"
    return {
        "S, P": f"training-step time and params of the full network at batch {batch}, {base.resolution} px, "
        f"{how}, {taken if stepping else 'which is not in the times below'}",
        "over": f"those of {base.key}, the network that the space varies: {spent}",
    }


def _stopping(config: SearchConfig) -> str:
    if config.no_early_stopping:
        return f"none ({config.no_early_stopping})"
    return f"after each epoch one in {config.reduction_factor} goes on"


def _hardware(
    config: SearchConfig, resources: Resources | None, trial: float, finalist: float, stepping: float
) -> dict[str, str]:
    """Workers and, where they are known, the time: trials with their networks' step times (finalists have theirs)."""
    if resources is None:
        return {"workers": f"as many as the cluster at {config.ray_address} has room for; times are this machine's"}
    workers, finalists = resources.workers, config.finalists * config.finalist_seeds
    trials = math.ceil(config.trials / workers) * (trial + stepping)
    # The first step time is the baseline's.
    total = stepping + trials + math.ceil(finalists / workers) * finalist
    return {
        "workers": f"{resources.describe()}, {resources.cpus_per_trial} CPU and {resources.gpus_per_trial:g} GPU each",
        "expected": f"at most about {_round(total)}, and some 20 s to start",
    }


class _Pace(NamedTuple):
    """Seconds for one training image and for one judging on the validation images; training images there are."""

    image: float
    judging: float
    images: int


def _typical(region: SearchRegion) -> list[Arch]:
    """A few networks of the band."""
    encodings = region.space.sample(np.random.default_rng(0), SAMPLE, macs=region.band, of="networks")
    return [region.space.decode(region.space.choice(encoding)) for encoding in encodings]


def _pace(config: SearchConfig, archs: list[Arch], device: str | None) -> _Pace:
    """Measured: each network trained on a few images, the first one twice because a process' first steps are slow."""
    import torch

    from studies.data.load import load
    from studies.trainer.loop import train

    torch.set_num_threads(config.cpus_per_trial)
    data = load(config.dataset, seed=config.seed, root=config.data_root)
    recipe = get_recipe(config.recipe).replace(epochs=1, stages=1)
    timed = []
    for arch in (archs[0], *archs):
        run = train(config.proxy.arch(arch), data, recipe, seed=0, images=IMAGES, device=device)
        timed.append(next(iter(run)))
    del timed[0]
    training = sum(evaluation.train_seconds / evaluation.images for evaluation in timed) / len(timed)
    judging = sum(evaluation.eval_seconds for evaluation in timed) / len(timed)
    return _Pace(training, judging, len(data.train))


def _round(seconds: float) -> str:
    return format_duration(float(round(seconds, -1) if seconds > 100 else math.ceil(seconds)))


def _power(count: int) -> str:
    """A large number in short: 1.25e+18."""
    return f"{count:,}" if count < 10**7 else f"{count:.3g}"
