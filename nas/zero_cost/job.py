"""What a worker does with a job of measuring: all training-free measures of the network that would be trained."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

from nas.zero_cost.registry import PROXIES, get_proxy
from search_spaces.networks.arch import Arch
from studies.outcome import Rung
from studies.workers.protocol import Job
from studies.workers.training_job import Training

# Images of a measure's one batch: the same ones for all networks.
BATCH = 64


def measure(job: Job) -> Iterator[Rung]:
    """One rung: each measure's value (null where it is not finite) and, under NAME_seconds, its wall-clock seconds.

    The job is one of training (see `studies.workers.training_job`): the same network, weights from its seed.
    """
    from studies.data.splits import View
    from studies.trainer.loop import new_network
    from studies.trainer.scoring import choose_device

    training, full = Training.from_job(job), Arch.from_json(job["arch"])
    arch = training.trained(full)
    view = View(arch.resolution, choose_device(), channels_last=False)
    split = training.data().train.take(BATCH, seed=0)
    images, labels = next(iter(split.batches(view, BATCH)))
    recipe = training.recipe.replace(dropout=0.0, stochastic_depth=0.0)
    network = new_network(arch, recipe, int(job["seed"])).to(view.device)
    rung: Rung = {"step": 1}
    for name in PROXIES:
        began = time.perf_counter()
        value = get_proxy(name)(network, images, labels)
        rung[name] = value if math.isfinite(value) else None
        rung[f"{name}_seconds"] = round(time.perf_counter() - began, 4)
    yield rung
