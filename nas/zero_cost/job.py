"""The job of a worker that scores a network by zero-cost proxies."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence

from nas.zero_cost.registry import ZERO_COST_PROXIES
from search_spaces.networks.arch import Arch
from studies.outcome import Rung
from studies.workers.protocol import Job
from studies.workers.training_job import Training

# Images of the one batch that zero-cost proxies see, the same for all networks.
BATCH_IMAGES = 64


def score_network(job: Job, names: Sequence[str] = tuple(ZERO_COST_PROXIES)) -> Iterator[Rung]:
    """One rung: the score of each zero-cost proxy (None if not finite), and as NAME_seconds its wall-clock seconds.

    `names` are those of the zero-cost proxies. The job is that of a training (see `studies.workers.training_job`). The
    network is the one that would be trained, with initial weights from the job's seed.
    """
    from studies.data.splits import View
    from studies.trainer.loop import new_network
    from studies.trainer.scoring import choose_device

    training, full = Training.from_job(job), Arch.from_json(job["arch"])
    arch = training.trained(full)
    view = View(arch.resolution, choose_device(), channels_last=False)
    split = training.data().train.take(BATCH_IMAGES, seed=0)
    images, labels = next(iter(split.batches(view, BATCH_IMAGES)))
    recipe = training.recipe.replace(dropout=0.0, stochastic_depth=0.0)
    network = new_network(arch, recipe, int(job["seed"])).to(view.device)
    rung: Rung = {"step": 1}
    for name in names:
        score = ZERO_COST_PROXIES.row(name).score
        began = time.perf_counter()
        value = score(network, images, labels)
        if not isinstance(value, int | float):
            raise ValueError(f"zero-cost proxy {name} must return a number, got {type(value).__name__}")
        rung[name] = value if math.isfinite(value) else None
        rung[f"{name}_seconds"] = round(time.perf_counter() - began, 4)
    yield rung
