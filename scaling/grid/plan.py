"""What a grid will train, and everything that can be wrong before compute is spent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from scaling.experiment.baseline import Baseline
from scaling.grid.config import SLACK, GridConfig
from scaling.grid.lattice import Lattice, coefficients, scaled
from search_spaces.common.units import format_bytes, format_count
from search_spaces.metrics.counts import cost
from search_spaces.metrics.memory import training_memory
from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import Coefficients, Growth
from search_spaces.resizing.matching import solve
from search_spaces.resizing.rounding import Rounding
from search_spaces.resizing.strategy import Strategy
from studies.workers.resources import Resources, settle_here

MIN_NETWORKS = 10


@dataclass(frozen=True)
class Budget:
    """What a scaled network may cost.

    macs        multiply-adds, the rounding's tolerance included
    memory      bytes of training memory at `batch_size`; None is no limit
    pixels      side of the images: a larger input has nothing more to show
    """

    macs: int
    memory: int | None
    batch_size: int
    pixels: int

    def objection(self, arch: Arch, macs: int) -> str:
        """Why a network is left out; empty where it is not."""
        if macs > self.macs:
            return f"over the FLOP budget of {format_count(self.macs, 4)}"
        if self.memory is not None and training_memory(arch, self.batch_size).total > self.memory:
            return f"over the memory budget of {format_bytes(self.memory)} at batch {self.batch_size}"
        if arch.resolution > self.pixels:
            return f"upsampled: larger than the images' own {self.pixels} px"
        return ""


@dataclass(frozen=True)
class GridNetwork:
    """A network of a grid: one network, however many points round to it.

    coefficients  of the point that stands for it: of its points the nearest to alpha * beta^2 * gamma^2 = 2
    growth        nominal and realised multipliers over the baseline
    points        all points that give this network
    """

    arch: Arch
    macs: int
    growth: Growth
    coefficients: Coefficients
    points: tuple[Coefficients, ...]

    def realised_coefficients(self, phi: float) -> tuple[float, float, float]:
        """The coefficients that the network has after rounding."""
        got = self.growth.realised
        return got.depth ** (1 / phi), got.width ** (1 / phi), got.resolution ** (1 / phi)


@dataclass(frozen=True)
class GridNetworks:
    """What a grid is about to train.

    points    how many there are on the lattice
    networks  the different networks within the budgets, in order of their points
    left_out  number of points left out, by reason
    target    multiply-adds that all networks are closed to; None where they are taken as they round
    """

    baseline: Arch
    points: int
    networks: tuple[GridNetwork, ...]
    left_out: Counter[str]
    target: int | None

    def describe(self) -> str:
        """One line: points, networks, what was left out."""
        kept = self.points - sum(self.left_out.values())
        parts = [f"{self.points} points", f"{kept} within the budgets round to {len(self.networks)} different networks"]
        return "; ".join([*parts, *(f"{count} {reason}" for reason, count in self.left_out.items())])

    def check(self, allow_small: bool) -> None:
        """Raise ValueError where there are too few networks to learn from."""
        if not self.networks:
            raise ValueError(
                f"no point of the grid fits: {self.describe()}; raise the budget, or use a smaller --proxy.resolution"
            )
        if len(self.networks) < MIN_NETWORKS and not allow_small:
            raise ValueError(
                f"the grid has fewer than {MIN_NETWORKS} different networks ({self.describe()}): use a smaller --step "
                "or --rounding.divisor, a larger --max-flops, or accept it with --allow-small"
            )


def grid_networks(
    baseline: Arch, lattice: Lattice, phi: float, rounding: Rounding, budget: Budget, target: int | None
) -> GridNetworks:
    """The networks of a grid at phi over a baseline; closed to `target` multiply-adds unless that is None."""
    points = lattice.points()
    shapes = scaled(baseline, points, phi, rounding)
    first, place = shapes.distinct()
    found: dict[Arch, GridNetwork] = {}
    left_out: Counter[str] = Counter()
    for index in range(len(first)):
        members = coefficients(points[place == index])
        chosen = min(members, key=lambda point: abs(point.miss))
        candidate = _candidate(baseline, shapes.arch(int(first[index])), chosen, phi, rounding, target)
        stays = candidate.arch.key == baseline.key
        reason = "rounded to the baseline itself" if stays else budget.objection(candidate.arch, candidate.macs)
        if reason:
            left_out[reason] += len(members)
            continue
        candidate = replace(candidate, points=tuple(members))
        known = found.get(candidate.arch)
        found[candidate.arch] = candidate if known is None else _merged(known, candidate)
    return GridNetworks(baseline, len(points), tuple(found.values()), left_out, target)


def _candidate(
    baseline: Arch, plain: Arch, point: Coefficients, phi: float, rounding: Rounding, target: int | None
) -> GridNetwork:
    nominal = point.multipliers(phi)
    if target is None:
        return GridNetwork(plain, cost(plain).macs, Growth.of(plain, baseline, nominal), point, (point,))
    solution = solve(baseline, Strategy.of(point), target, rounding=rounding)
    growth = replace(solution.growth, nominal=nominal)
    return GridNetwork(solution.arch, solution.macs, growth, point, (point,))


def _merged(first: GridNetwork, second: GridNetwork) -> GridNetwork:
    """The one network of both; its better point stands for it."""
    nearer = min((first, second), key=lambda candidate: abs(candidate.coefficients.miss))
    return replace(nearer, points=(*first.points, *second.points))


@dataclass(frozen=True)
class GridPlan:
    """A grid's settings, its baseline, its networks and what they run on; None where only a cluster knows."""

    config: GridConfig
    baseline: Baseline
    grid: GridNetworks
    rounding: Rounding
    resources: Resources | None


def prepare(config: GridConfig) -> GridPlan:
    """Everything that can be found wrong beforehand: baseline, data set, points, budgets, resources."""
    highest = float(config.lattice.points()[:, 2].max()) ** config.phi
    baseline = Baseline.of(config, highest)
    base = cost(baseline.trained).macs
    rounding = config.rounding.for_network(baseline.trained)
    target = round(config.growth * base)
    budget = Budget(config.flops or round((1 + SLACK) * target), config.memory, config.batch_size, baseline.pixels)
    networks = grid_networks(
        baseline.trained, config.lattice, config.phi, rounding, budget, None if config.raw else target
    )
    networks.check(config.allow_small)
    return GridPlan(config, baseline, networks, rounding, settle_here(config.execution))
