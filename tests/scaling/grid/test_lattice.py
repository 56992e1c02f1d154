"""The lattice of a grid against brute force, and its points' networks against `scale`."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import search_spaces as ss
from scaling.grid.lattice import Lattice, coefficients, scaled
from search_spaces.resizing.compound import Coefficients, scale
from search_spaces.resizing.rounding import Rounding


def brute_force(hundredths: int, tolerance: int, bounds: tuple[tuple[int, int], ...]) -> set[tuple[int, int, int]]:
    """Points in hundredths with |a * b^2 * c^2 - 2| <= tolerance / 100, in whole numbers alone."""
    values = [[v for v in range(100, high + 1, hundredths) if v >= low] for low, high in bounds]
    return {(a, b, c) for a, b, c in product(*values) if abs(a * b * b * c * c - 2 * 10**10) <= tolerance * 10**8}


@pytest.mark.parametrize(
    ("lattice", "hundredths", "tolerance", "count"),
    [
        (Lattice(), 10, 10, 22),
        (Lattice(step=0.05), 5, 10, 111),
        (Lattice(step=0.1, tolerance=0.5), 10, 50, None),
        (Lattice(step=0.2, tolerance=0.3, alpha=(1.0, 3.0), beta=(1.1, 1.9)), 20, 30, None),
    ],
)
def test_the_points_are_those_of_brute_force(
    lattice: Lattice, hundredths: int, tolerance: int, count: int | None
) -> None:
    bounds = tuple((round(100 * low), round(100 * high)) for low, high in (lattice.alpha, lattice.beta, lattice.gamma))
    points = lattice.points()
    found = [tuple(row) for row in np.round(100 * points).astype(int).tolist()]
    assert set(found) == brute_force(hundredths, tolerance, bounds)
    assert found == sorted(set(found))
    assert count is None or len(found) == count
    assert points.min() >= 1


def test_values_are_as_people_write_them() -> None:
    assert {str(one) for one in coefficients(Lattice().points())} >= {"1.2/1.3/1", "2/1/1", "1/1.4/1", "1/1/1.4"}
    assert Coefficients(1.3, 1.1, 1.1) in coefficients(Lattice().points())


def test_bounds_hold_points_back() -> None:
    points = Lattice(alpha=(1.2, 1.5), gamma=(1.0, 1.0)).points()
    assert [tuple(row) for row in points.tolist()] == [(1.2, 1.3, 1.0), (1.4, 1.2, 1.0)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"step": 2.0}, "--step 2 leaves no point with alpha * beta^2 * gamma^2 within 0.1 of 2; the nearest misses"),
        ({"tolerance": 0.0, "step": 0.3, "alpha": (1.0, 1.6)}, "use a smaller step or a larger tolerance"),
        ({"alpha": (1.15, 1.19)}, "--step 0.1 leaves no point"),  # no multiple of the step between the bounds
        ({"step": 0.001}, "--step 0.001 makes a lattice of 301,4"),
        ({"step": 0.0}, "--step must be greater than 0, got 0"),
        ({"step": float("nan")}, "--step must be greater than 0, got nan"),
        ({"tolerance": -0.1}, "--tolerance must be 0 or more, got -0.1"),
        ({"beta": (0.9, 1.5)}, "--beta must be two bounds, 1 <= low <= high, got 0.9 1.5"),
        ({"gamma": (1.5, 1.2)}, "--gamma must be two bounds, 1 <= low <= high, got 1.5 1.2"),
    ],
)
def test_what_gives_no_points_is_one_line(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match="^[^\n]*$") as caught:
        Lattice(**settings).points()  # type: ignore[arg-type]
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "phi", "rounding"), [("mnasnet_a1", 1.0, Rounding()), ("mobilenet_v2", 2.0, Rounding(4, 32))]
)
def test_the_networks_are_those_that_scale_makes(name: str, phi: float, rounding: Rounding) -> None:
    baseline, points = ss.get(name), Lattice().points()
    shapes = scaled(baseline, points, phi, rounding)
    made = [scale(baseline, point, phi, divisor=rounding.divisor, step=rounding.step) for point in coefficients(points)]
    assert [shapes.arch(row) for row in range(len(points))] == made
