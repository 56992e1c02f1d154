"""Everything of a search that can be wrong before compute is spent, and the plan that `--dry-run` prints."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from nas.controls.control import Controls
from nas.region import SearchRegion
from nas.search.config import EXTENDABLE, JUDGED, RESUMABLE, SearchConfig
from nas.search.controls import choose_controls
from nas.search.step_times import baseline_of, check_steps, step_batch, timing
from search_spaces.common.settings import own_code
from search_spaces.common.text import pluralise
from search_spaces.common.units import format_count, format_duration
from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch
from studies.data.registry import class_count
from studies.trainer.registry import get_recipe
from studies.workers.resources import Resources, settle_here

# Networks that are timed, and images that each is timed on.
TIMED_NETWORKS, TIMED_IMAGES = 3, 320
# A recipe for more than so many times the proxies' epochs gives a warning: its schedule is shortened to them, but its
# learning rate, weight average and batch-norm momentum stay those of a long training.
MAX_SHORTENING = 20
NO_CONTROLS = Controls()


class SearchPlan(NamedTuple):
    """What is known before a search begins.

    region     where networks are searched
    resources  None on a cluster, whose resources are known only after joining it
    controls   networks that are trained beside the finalists
    """

    region: SearchRegion
    resources: Resources | None
    controls: Controls

    @property
    def workers(self) -> int | None:
        """The number of workers, where it is known."""
        return self.resources.workers if self.resources else None


def check(config: SearchConfig) -> SearchPlan:
    """The plan of a search.

    Raises ValueError for everything that can be wrong before compute is spent: data set, target, band, resources,
    controls.
    """
    from studies.trainer.progressive import check_sizes

    classes = class_count(config.data.dataset, config.data.root)
    region, resources = SearchRegion.of(config, classes), settle_here(config.workers)
    # All networks of a space have its reference's strides.
    recipe = config.proxy.recipe(get_recipe(config.recipe))
    check_sizes(recipe, config.proxy.arch(baseline_of(region)), "proxy.resolution")
    if config.objective_function.needs_step_times:
        check_steps(config, region, resources)
    return SearchPlan(region, resources, choose_controls(config, region, resources))


def finished(config: SearchConfig) -> str | None:
    """The report of a finished run of at least this size; None if there is something to do."""
    from studies.runs.command import finished_report

    if config.new:
        return None
    asked, code = config.settings(), own_code(config)
    report = finished_report(config.run, asked, resumable=RESUMABLE - JUDGED, extendable=EXTENDABLE, code=code)
    return report and f"{report}; use a higher --trials to extend it."


class Pace(NamedTuple):
    """Seconds for one training image, for one evaluation on the validation images and for one network's step time.

    image       seconds
    evaluation  seconds
    images      number of training images
    step_time   seconds; 0 if the objective needs no step times, or on a cluster
    """

    image: float
    evaluation: float
    images: int
    step_time: float = 0.0


def measure_pace(config: SearchConfig, region: SearchRegion, resources: Resources | None) -> Pace:
    """Trains each of a few networks on a few images, the first one twice: the first steps of a process are slow."""
    import torch

    from studies.data.load import load_configured
    from studies.data.splits import View
    from studies.trainer.loop import train
    from studies.trainer.scoring import choose_device

    torch.set_num_threads(config.workers.cpus_per_trial)
    data = load_configured(config.data, seed=config.seed)
    recipe = get_recipe(config.recipe).replace(epochs=1, stages=1)
    archs, device = _typical(region), None if resources is None or resources.gpus_per_trial else "cpu"
    timed = []
    for arch in (archs[0], *archs):
        trained = config.proxy.arch(arch)
        view = View(trained.resolution, choose_device(device))
        timed.append(next(train(trained, data, recipe, seed=0, view=view, images=TIMED_IMAGES)))
    del timed[0]
    training = sum(evaluation.train_seconds / evaluation.images for evaluation in timed) / len(timed)
    judging = sum(evaluation.eval_seconds for evaluation in timed) / len(timed)
    # A step that does not fit on this machine may fit on a cluster.
    stepping = config.objective_function.needs_step_times and resources is not None
    return Pace(training, judging, len(data.train), timing(config, region, archs, device) if stepping else 0.0)


def describe(
    config: SearchConfig,
    region: SearchRegion,
    resources: Resources | None,
    pace: Pace | None = None,
    controls: Controls = NO_CONTROLS,
) -> str:
    """The plan as text: space, band, cost of a trial, controls, expected time.

    Without a `pace` it is measured on a few short trainings. Without resources, which on a cluster are known only after
    joining it, the trials are timed on this machine and no total is given.
    """
    pace = measure_pace(config, region, resources) if pace is None else pace
    archs, proxy = _typical(region), config.proxy
    images = _images(config, pace.images)
    trial = proxy.epochs * (images * pace.image + pace.evaluation)
    finalist = config.finalist.epochs * (pace.images * pace.image + pace.evaluation)
    size = format_count(round(sum(cost(proxy.arch(arch)).macs for arch in archs) / len(archs)), 3)
    low, high = (region.metric.format(end, 4) for end in region.band)
    searched = not config.controls.only
    rows = {
        "space": f"{config.space}: {_power(region.space.size)} encodings",
        "near the target": f"{_networks(region)} between {low} and {high} {region.metric.title}",
        **({"limits": region.describe_limits()} if region.limits else {}),
        "objective": config.objective_text,
        **_steps(config, region, pace.step_time),
        **(_candidates(config, images, f"{size} multiply-adds", trial) if searched else {}),
        **_final(config, region, controls, pace.images, finalist),
        **_hardware(config, resources, len(controls.all), trial, finalist, pace.step_time),
    }
    width = max(map(len, rows))
    lines = [f"{name:<{width}}  {text}" for name, text in rows.items()]
    return "\n".join(filter(None, [*lines, warning(config, pace.images)]))


def _candidates(config: SearchConfig, images: int, size: str, trial: float) -> dict[str, str]:
    """Sampler and training of candidates; `trial` is the seconds for one, `size` its proxy's cost."""
    proxy = config.proxy
    return {
        "sampler": f"{config.sampler_name}, {config.trials} candidates, early stopping: {_stopping(config)}",
        "a candidate": f"proxy of width x{proxy.width:g} at {proxy.resolution} px, {size}: "
        f"{proxy.epochs} x {images} images, about {_round(trial)}",
    }


def _final(
    config: SearchConfig, region: SearchRegion, controls: Controls, images: int, finalist: float
) -> dict[str, str]:
    """The trainings with several seeds, of finalists and controls; `finalist` is the seconds for one."""
    seeds, each = config.finalist.seeds, f"{config.finalist.epochs} x {images} images, about {_round(finalist)} each"
    rows = {} if config.controls.only else {"finalists": f"{config.finalist.number} x {seeds} seeds: {each}"}
    if controls.all:
        rows["controls"] = f"{len(controls.all)} x {seeds} seeds: {each}"
    rows |= {f"  {control.title}": control.describe(region.metric) for control in controls.all}
    return rows | {f"  {name}": f"left out: {reason}" for name, reason in controls.left_out.items()}


def warning(config: SearchConfig, images: int) -> str:
    """One line about a recipe that is designed for far more epochs than the proxies have; else an empty text.

    `images` is the number of training images.
    """
    recipe, epochs = get_recipe(config.recipe), config.proxy.epochs
    if recipe.epochs <= MAX_SHORTENING * epochs:
        return ""
    steps = epochs * math.ceil(_images(config, images) / recipe.batch_size)
    return (
        f"warning: recipe {config.recipe} is designed for {recipe.epochs} epochs; proxies train for {epochs} "
        f"({pluralise(steps, 'step')}), too few to rank them. Use --recipe quick."
    )


def _images(config: SearchConfig, images: int) -> int:
    """Training images of a proxy's epoch."""
    return min(config.proxy.images or images, images)


def _steps(config: SearchConfig, region: SearchRegion, stepping: float) -> dict[str, str]:
    """How step times are found, if the objective needs them; `stepping` is the seconds for one, 0 if unknown."""
    if not config.objective_function.needs_step_times:
        return {}
    base, batch = baseline_of(region), step_batch(config, region)
    how = "timed before its proxy is trained"
    taken = f"about {_round(stepping)} each"
    if config.objective.step_times == "layers":
        how, taken = "summed from its layers' times", f"at most {taken}"
    spent = f"{format_count(cost(base).macs, 4)} FLOPs, {format_count(cost(base).params, 4)} params"
    return {
        "S, P": f"training-step time and params of the full network at batch {batch}, {base.resolution} px, "
        f"{how}, {taken if stepping else 'not included in the times below'}",
        "over": f"those of {base.key}, the network that the space varies: {spent}",
    }


def _stopping(config: SearchConfig) -> str:
    if config.no_early_stopping:
        return f"none ({config.no_early_stopping})"
    return f"after each epoch one in {config.reduction_factor} continues"


def _hardware(
    config: SearchConfig, resources: Resources | None, controls: int, trial: float, finalist: float, stepping: float
) -> dict[str, str]:
    """Workers and, if they are known, the time: trials with their step times, which finalists reuse."""
    if resources is None:
        return {
            "workers": f"as many as fit on the cluster at {config.workers.ray_address}; times are those of this machine"
        }
    workers, only = resources.workers, config.controls.only
    finalists = ((0 if only else config.finalist.number) + controls) * config.finalist.seeds
    trials = 0.0 if only else math.ceil(config.trials / workers) * (trial + stepping)
    # The first step time is the baseline's.
    total = stepping + trials + math.ceil(finalists / workers) * finalist
    return {
        "workers": f"{resources.describe()}, {resources.cpus_per_trial} CPU and {resources.gpus_per_trial:g} GPU each",
        "expected": f"at most about {_round(total)}, plus about 20 s to start",
    }


def _typical(region: SearchRegion) -> list[Arch]:
    """A few networks of the band."""
    encodings = region.space.sample(np.random.default_rng(0), TIMED_NETWORKS, within=region.within, of="networks")
    return [region.space.decode(region.space.choice(encoding)) for encoding in encodings]


def _round(seconds: float) -> str:
    return format_duration(float(round(seconds, -1) if seconds > 100 else math.ceil(seconds)))


def _networks(region: SearchRegion) -> str:
    """The number of networks of the region, with its interval where it is estimated."""
    inside = region.inside
    if not inside.estimated:
        return f"{_power(int(inside))} different networks"
    return f"about {_power(int(inside))} different networks ({_power(inside.lower)} to {_power(inside.upper)})"


def _power(count: int) -> str:
    """A large number in short: 1.25e+18."""
    return f"{count:,}" if count < 10**7 else f"{count:.3g}"
