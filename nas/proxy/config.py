"""The settings of a proxy study. Imports nothing heavy."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from nas.region import RegionConfig
from search_spaces.common import cli
from search_spaces.common.checks import as_flags, check_different, check_minimum, flag_of, parsed
from search_spaces.common.units import format_count, parse_duration
from studies.data.registry import BUNDLED
from studies.trainer.recipe import Proxy
from studies.trainer.registry import get_recipe
from studies.workers.config import PLACEMENT, TrialConfig

# A rank correlation over fewer networks has an interval from no agreement to all.
MIN_NETWORKS = 8
MINIMUM = {"networks": MIN_NETWORKS, "against_seeds": 1, "retries": 0, "seed": 0}
GRID = ("widths", "resolutions", "images", "epochs")
# These say how much to do; a study goes on with more of it, its trainings being what they were.
EXTENDABLE = frozenset({*GRID, "networks", "against_seeds", "time_budget"})
RESUMABLE = EXTENDABLE | PLACEMENT
# What the study and a search have in common: what is searched, and on what.
SHARED = ("target_flops", "space", "reference", "resolution", "width", "cost_band", "dataset", "data_root", "recipe")


@dataclass(frozen=True)
class ProxyConfig(RegionConfig, TrialConfig):
    """A comparison of cheap trainings with a reference training, on networks of a cost band.

    Attributes:
        target_flops: Target cost of the full network, T, such as 400M. FLOPs are multiply-adds, as in the papers.
        space: Search space: mnasnet, small for 28 to 64 px images, or efficientnetv2.
        reference: Network that the space varies, as in nas.search; the space's default unless given.
        resolution: Input side in pixels of the full network, which cost and target speak of; 0 is the space's default.
        width: Factor on the widths of the network that the space varies.
        cost_band: The networks' multiply-adds, lowest and highest, as multiples of the target.
        dataset: fashion-mnist-mini (bundled), fashion-mnist, cifar10, cifar100, or imagefolder:DIR.
        data_root: Where downloaded data sets lie.
        networks: Networks of the sample, spread evenly over the band; at least 8.
        against: The reference training that all others are compared with: its network, its images and its epochs.
        against_recipe: Recipe of the reference training, by name (docs/recipes.md).
        against_seeds: Reference trainings of each network; their mean counts, and with two or more it is shown how
            well the reference agrees with itself.
        recipe: Recipe of the proxies, and of the search that follows, by name (docs/recipes.md).
        widths: Proxies to compare: factors on every number of channels ...
        resolutions: ... with every side of the training images in pixels ...
        images: ... every number of training images of an epoch (0: all of them) ...
        epochs: ... and every number of epochs, each trained from the start, as its learning rate falls to 0 in them.
        time_budget: Seconds, or 10m, 2h: start no training after this; 0 is no limit.
        workers: Trainings at once; by default as many as fit. 0: one by one in this process, without Ray.
        cpus_per_trial: CPU cores (and threads) of a training.
        gpus_per_trial: GPUs of a training, fractions allowed; a GPU is shared evenly among the workers unless given.
        ray_address: An existing Ray cluster, such as auto or host:6379; this machine alone unless given.
        retries: How often a training whose worker died is tried again.
        tensorboard: Write TensorBoard logs of all trainings into the run folder.
        seed: Of the sample and of everything else that is drawn.
        run: Run folder.
        new: Begin anew; an old run in the folder is moved aside, under a name with its date.
        dry_run: Print the plan and end.

    """

    target_flops: int | str = "400M"
    space: str = "mnasnet"
    reference: str | None = None
    resolution: int = 0
    width: float = 1.0
    cost_band: tuple[float, float] = (0.8, 1.05)
    dataset: str = BUNDLED
    data_root: str = "data"
    networks: int = 32
    against: Proxy = field(default_factory=lambda: Proxy(width=0.5, images=0, epochs=4))
    against_recipe: str = "quick"
    against_seeds: int = 1
    recipe: str = "quick"
    widths: tuple[float, ...] = (0.125, 0.25)
    resolutions: tuple[int, ...] = (28,)
    images: tuple[int, ...] = (2000, 4000)
    epochs: tuple[int, ...] = (1, 2)
    time_budget: int | float | str = 0
    workers: int | None = None
    cpus_per_trial: int = 1
    gpus_per_trial: float | None = None
    ray_address: str | None = None
    retries: int = 1
    tensorboard: bool = False
    seed: int = 0
    run: str = "runs/proxy"
    new: bool = False
    dry_run: bool = False

    def __post_init__(self) -> None:
        check_minimum(self, MINIMUM)
        for name in GRID:
            if not getattr(self, name):
                raise ValueError(f"{flag_of(name)} needs at least one value")
            check_different(name, getattr(self, name))
        # These raise where a proxy, its recipe, a duration or resources make no sense.
        with as_flags({"epochs": "against.epochs"}):
            self.against.recipe(get_recipe(self.against_recipe))
        with as_flags({"width": "widths", "resolution": "resolutions"} | {name: name for name in ("images", "epochs")}):
            for proxy in self.proxies:
                proxy.recipe(get_recipe(self.recipe))
        self.check_region()
        self.seconds, self.execution  # noqa: B018

    @property
    def proxies(self) -> tuple[Proxy, ...]:
        """The grid of proxies: every width with every resolution, number of images and of epochs."""
        grid = product(self.widths, self.resolutions, self.images, self.epochs)
        return tuple(
            self.against.replace(width=width, resolution=resolution, images=images, epochs=epochs)
            for width, resolution, images, epochs in grid
        )

    @property
    def seconds(self) -> float | None:
        """The time budget in seconds; None is no limit."""
        return parsed("time_budget", parse_duration, self.time_budget) or None

    def settings(self) -> dict[str, Any]:
        """The configuration as it is written down: what reproduces the run."""
        return cli.plain(dataclasses.replace(self, new=False, target_flops=format_count(self.target)))

    def for_search(self, proxy: Proxy) -> dict[str, Any]:
        """What was studied and the proxy, as plain settings of `nas.search`."""
        return cli.plain({name: getattr(self, name) for name in SHARED} | {"proxy": dataclasses.asdict(proxy)})

    def identity(self) -> dict[str, Any]:
        """What decides what a training means, the recipes' numbers included; a study goes on only under the same."""
        values = {key: value for key, value in dataclasses.asdict(self).items() if key not in RESUMABLE}
        recipes = {
            name: {"name": getattr(self, name), **dataclasses.asdict(get_recipe(getattr(self, name)))}
            for name in ("recipe", "against_recipe")
        }
        return values | recipes | {"target_flops": self.target}
