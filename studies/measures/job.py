"""What a worker does with a job of measuring: all training-free measures of the network that would be trained."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

from search_spaces.arch import Arch
from studies.candidate import Training
from studies.execution import Job, Rung
from studies.measures import NAMES, get_measure

# Images of a measure's one batch: the same ones for all networks.
BATCH = 64


def measure(job: Job) -> Iterator[Rung]:
    """One rung: each measure's value (null where it is not finite) and, under NAME_seconds, its wall-clock seconds.

    The job is one of training (see `studies.candidate`): the same network, its weights drawn from the job's seed.
    """
    from studies.loop import new_network
    from studies.scoring import choose_device
    from studies.splits import View

    training, full = Training.of(job), Arch.from_json(job["arch"])
    arch = training.trained(full)
    view = View(arch.resolution, choose_device(), channels_last=False)
    split = training.data().train.take(BATCH, seed=0)
    images, labels = next(iter(split.batches(view, BATCH)))
    recipe = training.recipe.replace(dropout=0.0, stochastic_depth=0.0)
    network = new_network(arch, recipe, int(job["seed"])).to(view.device)
    rung: Rung = {"step": 1}
    for name in NAMES:
        began = time.perf_counter()
        value = get_measure(name)(network, images, labels)
        rung[name] = value if math.isfinite(value) else None
        rung[f"{name}_seconds"] = round(time.perf_counter() - began, 4)
    yield rung
