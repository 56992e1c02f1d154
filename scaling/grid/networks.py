"""The networks of a grid: the lattice's points scaled, matched in cost, and those within the limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from scaling.grid.budget import Budget, Reach
from scaling.grid.config import LIMITS
from scaling.grid.lattice import Lattice, coefficients, scaled
from search_spaces.common.text import pluralise
from search_spaces.metrics.counts import cost
from search_spaces.metrics.limits import limit_flag
from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import Coefficients, Growth
from search_spaces.resizing.matching import solve
from search_spaces.resizing.rounding import Rounding
from search_spaces.resizing.strategy import Strategy

MIN_NETWORKS = 10


@dataclass(frozen=True)
class GridNetwork:
    """A network of a grid. Several points may round to it.

    coefficients  of the point that represents it: of its points the nearest to alpha * beta^2 * gamma^2 = 2
    growth        nominal and realised multipliers over the baseline
    points        all points that give this network
    limited       the limited metrics, in raw units
    """

    arch: Arch
    macs: int
    growth: Growth
    coefficients: Coefficients
    points: tuple[Coefficients, ...]
    limited: Mapping[str, int] = field(default_factory=dict)

    def realised_coefficients(self, phi: float) -> tuple[float, float, float]:
        """The coefficients that the network has after rounding."""
        got = self.growth.realised
        return got.depth ** (1 / phi), got.width ** (1 / phi), got.resolution ** (1 / phi)


@dataclass(frozen=True)
class GridNetworks:
    """What a grid is about to train.

    points    number of points on the lattice
    networks  the different networks within the limits, in order of their points
    left_out  number of points left out, by reason
    target    multiply-adds that all networks are matched to; None if they are taken as they round
    reach     of each limited metric, what the points' networks need
    """

    baseline: Arch
    points: int
    networks: tuple[GridNetwork, ...]
    left_out: Counter[str]
    target: int | None
    reach: tuple[Reach, ...] = ()

    def describe(self) -> str:
        """One line: points, networks, what was left out."""
        return describe_points(self.points, len(self.networks), self.left_out)

    def check(self, allow_small: bool) -> None:
        """Raise ValueError if there are too few networks to learn from; it names the limit that costs most points."""
        tightest = min(self.reach, key=lambda one: one.within, default=None)
        raised = ""
        if tightest and tightest.within < tightest.points:
            raised = f"raise {limit_flag(tightest.metric, LIMITS)} (the points' networks have {tightest.range}), or "
        if not self.networks:
            raise ValueError(f"no point of the grid fits: {self.describe()}; {raised}use a smaller --proxy.resolution")
        if len(self.networks) < MIN_NETWORKS and not allow_small:
            raise ValueError(
                f"the grid has fewer than {MIN_NETWORKS} different networks ({self.describe()}): {raised}use a smaller "
                "--step or --rounding.divisor, or accept it with --allow-small"
            )


def describe_points(points: int, networks: int, left_out: Mapping[str, int]) -> str:
    """One line: points of a lattice, the number of different networks they give, points left out by reason."""
    kept = points - sum(left_out.values())
    parts = [f"{points} points", f"{kept} within the budgets round to {pluralise(networks, 'different network')}"]
    return "; ".join([*parts, *(f"{count} {reason}" for reason, count in left_out.items())])


def grid_networks(
    baseline: Arch, lattice: Lattice, phi: float, rounding: Rounding, budget: Budget, target: int | None
) -> GridNetworks:
    """The networks of a grid at phi over a baseline, matched to `target` multiply-adds unless that is None.

    Raises ValueError if the baseline itself is over a limit.
    """
    budget.check_baseline(baseline)
    points = lattice.points()
    shapes = scaled(baseline, points, phi, rounding)
    first, place = shapes.distinct()
    found: dict[Arch, GridNetwork] = {}
    left_out: Counter[str] = Counter()
    spent: list[tuple[Mapping[str, int], int]] = []
    for index in range(len(first)):
        members = coefficients(points[place == index])
        network = _network(baseline, shapes.arch(int(first[index])), members, phi, rounding, target)
        unchanged, values = network.arch.key == baseline.key, budget.values(network.arch)
        spent.append((values, len(members)))
        reason = "rounded to the baseline itself" if unchanged else budget.objection(network.arch, values)
        if reason:
            left_out[reason] += len(members)
            continue
        known, network = found.get(network.arch), replace(network, limited=values)
        found[network.arch] = network if known is None else _merged(known, network)
    return GridNetworks(baseline, len(points), tuple(found.values()), left_out, target, budget.reach(spent))


def _network(
    baseline: Arch, plain: Arch, points: Sequence[Coefficients], phi: float, rounding: Rounding, target: int | None
) -> GridNetwork:
    point = min(points, key=lambda each: abs(each.miss))
    nominal = point.multipliers(phi)
    if target is None:
        return GridNetwork(plain, cost(plain).macs, Growth.of(plain, baseline, nominal), point, tuple(points))
    solution = solve(baseline, Strategy.of(point), target, rounding=rounding)
    growth = replace(solution.growth, nominal=nominal)
    return GridNetwork(solution.arch, solution.macs, growth, point, tuple(points))


def _merged(first: GridNetwork, second: GridNetwork) -> GridNetwork:
    """Two entries of one network as one; the point nearer to 2 represents it."""
    nearer = min((first, second), key=lambda network: abs(network.coefficients.miss))
    return replace(nearer, points=(*first.points, *second.points))
