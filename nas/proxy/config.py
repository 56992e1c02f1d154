"""The settings of a proxy study. Imports nothing heavy."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from nas.region import RegionConfig
from nas.zero_cost.registry import ZERO_COST_PROXIES
from search_spaces.common import cli
from search_spaces.common.checks import as_flags, check_different, check_minimum, parsed
from search_spaces.common.settings import flag_of, flat, own_code, setting, without
from search_spaces.common.units import parse_duration
from search_spaces.common.user_code import digests
from studies.data.config import DataConfig
from studies.trainer.recipe import Proxy
from studies.trainer.registry import get_recipe
from studies.workers.config import PLACEMENT, WorkersConfig, with_code_folders

# With fewer networks the interval of a rank correlation reaches from no agreement to full agreement.
MIN_NETWORKS = 8
MINIMUM = {"networks": MIN_NETWORKS, "against_seeds": 1, "seed": 0}
GRID = ("widths", "resolutions", "images", "epochs")
# Settings of how much is done: a study resumes with more.
EXTENDABLE = frozenset({*GRID, "networks", "against_seeds", "time_budget"})
RESUMABLE = EXTENDABLE | PLACEMENT
# Settings that the study hands on to a search.
SHARED = (
    "target_flops", "target", "space", "reference", "resolution", "width", "cost_band", "max_params", "max_memory",
    "limits", "data", "recipe",
)  # fmt: skip


@dataclass(frozen=True)
class ProxyConfig(RegionConfig):
    """A comparison of cheap trainings with a reference training, on networks of a cost band.

    Attributes:
        target_flops: Target cost T of the full network in multiply-adds, such as 400M. Default: 400M.
        target: Target of another metric, in place of --target-flops: NAME=VALUE, such as params=5M. Names: {names}.
        space: Search space: {names}; small is for images of 28 to 64 px.
        reference: Network that the space varies, as in nas.search. Default: that of the space.
        resolution: Input side in pixels at which the cost of the full network is counted. 0: the space's default.
        width: Factor on the widths of the network that the space varies.
        cost_band: Lowest and highest cost of the networks, in the target's metric, as multiples of the target.
        max_params: Highest number of parameters of a full network, such as 5M. Default: no limit.
        max_memory: Highest memory of the full network in inference on one image, such as 64MiB. Default: no limit.
        limits: Upper limits on other metrics, NAME=VALUE each, such as activations=6M. Names: {names}.
        data: Images to train on.
        zero_cost: Zero-cost proxies to compare: {names}.
        networks: Number of networks in the sample, spread evenly over the cost band; at least 8.
        against: The reference training that all proxies are compared with: its network, images and epochs.
        against_recipe: Recipe of the reference training (docs/recipes.md): {names}.
        against_seeds: Number of reference trainings per network, whose mean counts. With 2 or more the agreement of the
            reference with itself is reported.
        recipe: Recipe of the proxies, and of the search that follows: {names}.
        widths: Width multipliers of the proxies to compare.
        resolutions: Sides in pixels of the training images of the proxies to compare.
        images: Numbers of training images per epoch of the proxies to compare. 0: all of them.
        epochs: Numbers of epochs of the proxies to compare; each is a training of its own, whose learning rate falls
            to 0 in them.
        time_budget: Start no training after this time, in seconds or such as 10m or 2h. 0: no limit.
        workers: Workers, and what each gets.
        seed: Random seed.
        run: Run folder.
        new: Start a new run; an old run in the folder is renamed with its date.
        dry_run: Print the plan and exit.

    """

    target_flops: int | str | None = None
    target: str | None = setting(None, registry="search_spaces.metrics.registry:COMPUTED")
    space: str = setting("mnasnet", registry="search_spaces.spaces.registry:SPACES")
    reference: str | None = None
    resolution: int = 0
    width: float = 1.0
    cost_band: tuple[float, float] = (0.8, 1.05)
    max_params: str | None = None
    max_memory: str | None = None
    limits: tuple[str, ...] = setting((), registry="search_spaces.metrics.registry:COMPUTED")
    data: DataConfig = flat(DataConfig)
    zero_cost: tuple[str, ...] = setting(tuple(ZERO_COST_PROXIES), registry="nas.zero_cost.registry:ZERO_COST_PROXIES")
    networks: int = 32
    against: Proxy = field(default_factory=lambda: Proxy(width=0.5, images=0, epochs=4))
    against_recipe: str = setting("quick", registry="studies.trainer.registry:RECIPES")
    against_seeds: int = 1
    recipe: str = setting("quick", registry="studies.trainer.registry:RECIPES")
    widths: tuple[float, ...] = (0.125, 0.25)
    resolutions: tuple[int, ...] = (28,)
    images: tuple[int, ...] = (2000, 4000)
    epochs: tuple[int, ...] = (1, 2)
    time_budget: int | float | str = 0
    workers: WorkersConfig = flat(WorkersConfig)
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
        check_different("zero_cost", self.zero_cost)
        for name in self.zero_cost:
            ZERO_COST_PROXIES.row(name)
        # These raise for an invalid proxy, recipe or duration.
        with as_flags({"epochs": "against.epochs"}):
            self.against.recipe(get_recipe(self.against_recipe))
        with as_flags({"width": "widths", "resolution": "resolutions"} | {name: name for name in ("images", "epochs")}):
            for proxy in self.proxies:
                proxy.recipe(get_recipe(self.recipe))
        self.check_region()
        self.seconds  # noqa: B018

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
        """The configuration as it is stored in the run folder: it reproduces the run."""
        return cli.plain(dataclasses.replace(with_code_folders(self), new=False, **self.region_settings()))

    def for_search(self, proxy: Proxy) -> dict[str, Any]:
        """The settings of a search of the same space and images with the proxy, as plain values."""
        code = with_code_folders(self).workers.code
        return cli.plain(
            {name: value for name, value in dataclasses.asdict(self).items() if name in SHARED}
            | {"proxy": dataclasses.asdict(proxy)}
            | ({"workers": {"code": code}} if code else {})
        )

    def identity(self) -> dict[str, Any]:
        """The settings that trainings depend on, the recipes' numbers and the digests of the user's own code included.

        A study resumes only with the same.
        """
        values = without(dataclasses.asdict(self), RESUMABLE)
        recipes = {
            name: {"name": getattr(self, name), **dataclasses.asdict(get_recipe(getattr(self, name)))}
            for name in ("recipe", "against_recipe")
        }
        return values | recipes | self.region_settings() | {"code": digests(own_code(self))}
