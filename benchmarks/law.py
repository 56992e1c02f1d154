"""How well the fitted scaling law predicts: published tables with the largest networks left out, simulated coverage.

The tables are MobileNetV1's and V2's ImageNet accuracies over width and resolution (tests/scaling/data, with sources).
Beside the law stand straight lines of accuracy and of log error in log multiply-adds, fitted to the same networks.
Every part of a table with at least three widths, three resolutions and 12 networks is a table of its own, too.
Coverage is counted on tables simulated from surfaces that are known, two of which are none of the fitted forms. Grids
of 5 widths and 5 resolutions are simulated from the same surfaces, with deviations that networks of one width, and of
one resolution, share; the six largest of 25 networks are predicted.

Usage: python benchmarks/law.py [--tables 200]
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import os
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # numpy reads it when it is imported

import numpy as np

from scaling.law.data import COST_POWERS, DIMENSIONS, measure
from scaling.law.fit import Response, fit_measured, fit_response
from scaling.law.forms import Floats

TABLES = Path(__file__).parents[1] / "tests/scaling/data/scaled_networks.csv"
Rows = list[dict[str, float]]
Surface = Callable[[Floats, Floats], Floats]
# Accuracy at log multipliers x for slopes b.
SURFACES: dict[str, Surface] = {
    "power law": lambda x, b: 1 - 0.35 * np.exp(-x @ b),
    "saturating power law": lambda x, b: 1 - 0.35 * np.exp(np.expm1(-x) @ b),
    "saturating log odds": lambda x, b: 1 / (1 + np.exp(-0.62 + 1.5 * np.expm1(-x) @ b)),
    "sum of power laws (foreign)": lambda x, b: 0.9 - 0.25 * np.exp(-1.2 * x) @ b / b.sum(),
    "power law with a floor (foreign)": lambda x, b: 0.88 - 0.23 * np.exp(-1.6 * x @ b),
}
DESIGN = np.log(list(itertools.product((1, 1.5, 2), (1, 1.4), (1, 1.3))))
INSIDE = np.log([[1.3, 1.2, 1.1], [1.1, 1.3, 1.2], [1.5, 1.0, 1.0]])
OUTSIDE = np.log([[2.0, 1.4, 1.5], [4.0, 1.0, 1.0], [1.0, 1.0, 2.0], [2.5, 1.6, 1.5]])
SEEDS, DEVIATION, MULTIPLE = 3, 0.005, 3.0
GRID = np.log([(1, w, r / 224) for w in (0.35, 0.5, 0.75, 1, 1.4) for r in (96, 128, 160, 192, 224)])
GRID_LEFT_OUT, OWN_DEVIATION = 6, 0.008
MIN_LEVELS, MIN_NETWORKS = 3, 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=200, help="simulated tables for each surface")
    count = parser.parse_args().tables
    print(
        "| table | left out | n | line | line of log error | law | within 95 % | half width "
        "| one row wrong, least squares | one row wrong, law |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in ("mobilenet_v1", "mobilenet_v2"):
        rows = published(name)
        for what, out in left_out(rows).items():
            print(f"| {name} | {what} " + judged(rows, out))
    print("\n| table | left out | cases | line | law | within 95 % | half width |\n|---|---|---|---|---|---|---|")
    for name in ("mobilenet_v1", "mobilenet_v2"):
        for what, cases in parts(published(name)).items():
            print(f"| {name} | {what} | {len(cases)} | " + predicted(cases))
    print(f"\n{count} tables each: {len(DESIGN)} networks, {SEEDS} seeds, deviation {100 * DEVIATION:g} points\n")
    print("| surface | inside | new measurement | half width | outside | exponents of the best | gain |")
    print("|---|---|---|---|---|---|---|")
    for name, surface in SURFACES.items():
        print(f"| {name} " + coverage(surface, count), flush=True)
    print(f"\n{count} grids each: the {GRID_LEFT_OUT} largest of {len(GRID)} networks left out\n")
    print("| shared deviation | surface | line | law | within 95 % | half width |\n|---|---|---|---|---|---|")
    for shared in (0.0, 0.01, 0.02, 0.04):
        for name, surface in SURFACES.items():
            rng = np.random.default_rng(0)
            cases = [halves(simulated_grid(surface, shared, rng), "six largest") for _ in range(count)]
            print(f"| {100 * shared:g} % | {name} | " + predicted(cases), flush=True)


def published(name: str) -> Rows:
    columns = {"depth": "depth", "width": "width", "resolution": "resolution_multiplier", "macs": "macs_m"}
    with TABLES.open() as file:
        found = [r for r in csv.DictReader(file) if r["baseline"] == name and r["source"].startswith("tensorflow")]
    return [
        {**{k: float(r[v]) for k, v in columns.items()}, "accuracy": float(r["imagenet_top1"]) / 100} for r in found
    ]


def left_out(rows: Rows) -> dict[str, list[bool]]:
    macs = np.array([row["macs"] for row in rows])
    rank = np.argsort(np.argsort(macs))
    splits = {
        "largest quarter": macs > np.quantile(macs, 0.75),
        "largest 3": rank >= len(rows) - 3,
        "largest half": macs > np.median(macs),
        "width above 1": np.array([row["width"] > 1 for row in rows]),
        "width 1 and above": np.array([row["width"] >= 1 for row in rows]),
        "resolution 1": np.array([row["resolution"] == 1 for row in rows]),
    }
    return {name: out.tolist() for name, out in splits.items() if out.any()}


def parts(rows: Rows) -> dict[str, list[tuple[Rows, Rows]]]:
    """What is fitted and what is left out, for all adjacent widths and resolutions of a table."""
    widths, sides = (sorted({row[name] for row in rows}) for name in ("width", "resolution"))
    found: dict[str, list[tuple[Rows, Rows]]] = {}
    for low, high in itertools.combinations(widths, 2):
        for small, large in itertools.combinations(sides, 2):
            part = [r for r in rows if low <= r["width"] <= high and small <= r["resolution"] <= large]
            levels = [len({row[name] for row in part}) for name in ("width", "resolution")]
            if min(levels) < MIN_LEVELS or len(part) < MIN_NETWORKS:
                continue
            for what in ("largest quarter", "largest 3", "largest half", "largest width", "largest resolution"):
                train, test = halves(part, what)
                if min(len({row[name] for row in train}) for name in ("width", "resolution")) > 1:
                    found.setdefault(what, []).append((train, test))
    return found


def halves(rows: Rows, what: str) -> tuple[Rows, Rows]:
    """Rows to fit, and rows left out."""
    if what in ("largest width", "largest resolution"):
        name = what.removeprefix("largest ")
        out = [row[name] == max(r[name] for r in rows) for row in rows]
    else:
        n = len(rows)
        count = {"largest quarter": round(n / 4), "largest 3": 3, "largest half": n // 2}.get(what, GRID_LEFT_OUT)
        order = sorted(range(n), key=lambda i: rows[i]["macs"])
        out = [i in order[n - count :] for i in range(n)]
    return [r for r, o in zip(rows, out, strict=True) if not o], [r for r, o in zip(rows, out, strict=True) if o]


def predicted(cases: list[tuple[Rows, Rows]]) -> str:
    """Means over cases: errors of a line and of the law in points, share within the intervals, their half width."""
    found = []
    for train, test in cases:
        response = fit_response(train)
        predictions = [response.predict(*(row[name] for name in DIMENSIONS)) for row in test]
        hits = [p.lower <= row["accuracy"] <= p.upper for p, row in zip(predictions, test, strict=True)]
        half = np.mean([p.upper - p.lower for p in predictions]) / 2
        found.append((line(train, test, log=False), miss(response, test), np.mean(hits), half))
    straight, law, within, half = np.mean(found, axis=0)
    return f"{100 * straight:.2f} | {100 * law:.2f} | {within:.2f} | {100 * half:.1f} |"


def simulated_grid(surface: Surface, shared: float, rng: np.random.Generator) -> Rows:
    """GRID measured once. Deviations, shared and of each network, are shares of the error."""
    slopes = np.r_[0.0, rng.uniform(0.1, 0.3, 2)]
    deviation = OWN_DEVIATION * rng.standard_normal(len(GRID))
    for column in GRID.T[1:]:
        _, place = np.unique(column, return_inverse=True)
        deviation += shared * rng.standard_normal(place.max() + 1)[place]
    accuracy = np.clip(1 - (1 - surface(GRID, slopes)) * np.exp(deviation), 0.01, None)
    return [
        {
            **dict(zip(DIMENSIONS, np.exp(x).tolist(), strict=True)),
            "macs": float(np.exp(x @ COST_POWERS)),
            "accuracy": a,
        }
        for x, a in zip(GRID, accuracy.tolist(), strict=True)
    ]


def judged(rows: Rows, out: list[bool]) -> str:
    train = [row for row, o in zip(rows, out, strict=True) if not o]
    test = [row for row, o in zip(rows, out, strict=True) if o]
    truth = np.array([row["accuracy"] for row in test])
    response = fit_response(train)
    predictions = [response.predict(*(row[name] for name in DIMENSIONS)) for row in test]
    within = np.mean([p.lower <= t <= p.upper for p, t in zip(predictions, truth, strict=True)])
    half = np.mean([p.upper - p.lower for p in predictions]) / 2
    spoiled = [{**row, "accuracy": row["accuracy"] - 0.1 * (i == len(train) // 2)} for i, row in enumerate(train)]
    squares = fit_measured(measure(spoiled), tail=math.inf)
    errors = [line(train, test, log=False), line(train, test, log=True), miss(response, test)]
    text = " | ".join(f"{100 * error:.2f}" for error in errors)
    robust, plain = miss(fit_response(spoiled), test), miss(squares, test)
    shares = f"{within:.2f} | {100 * half:.1f} | {100 * plain:.2f} | {100 * robust:.2f} |"
    return f"| {len(test)} of {len(rows)} | {text} | {shares}"


def miss(response: Response, test: Rows) -> float:
    return float(np.mean([abs(response.predict(*(r[n] for n in DIMENSIONS)).mean - r["accuracy"]) for r in test]))


def line(train: Rows, test: Rows, *, log: bool) -> float:
    x, y = (np.array([row[key] for row in train]) for key in ("macs", "accuracy"))
    fitted = np.polyfit(np.log(x), np.log(1 - y) if log else y, 1)
    guess = np.polyval(fitted, np.log([row["macs"] for row in test]))
    return float(np.abs((1 - np.exp(guess) if log else guess) - [row["accuracy"] for row in test]).mean())


def coverage(surface: Surface, count: int) -> str:
    rng = np.random.default_rng(0)
    inside, measured, outside, exponents, gains, widths = [], [], [], [], [], []
    for _ in range(count):
        slopes = rng.uniform(0.1, 0.4, 3)
        response = fit_response(simulate(surface, slopes, rng))
        for x, value in zip(INSIDE, surface(INSIDE, slopes), strict=True):
            p = response.predict(*np.exp(x))
            inside.append(p.lower <= value <= p.upper)
            measured.append(p.lower <= value + DEVIATION / math.sqrt(SEEDS) * rng.standard_normal() <= p.upper)
            widths.append(p.upper - p.lower)
        for x, value in zip(OUTSIDE, surface(OUTSIDE, slopes), strict=True):
            p = response.predict(*np.exp(x))
            outside.append(p.lower <= value <= p.upper)
        best, optimum = response.best(MULTIPLE), true_optimum(surface, slopes)
        near = [(best.exponents[n].low - 0.03, best.exponents[n].high + 0.03) for n in DIMENSIONS]
        exponents += [low <= o <= high for (low, high), o in zip(near, optimum, strict=True)]
        for gain in best.gains.values():
            pair = surface(np.log([gain.first, gain.second]), slopes)
            gains.append(gain.low <= pair[0] - pair[1] <= gain.high)
    counted = [np.mean(hits) for hits in (inside, measured, outside, exponents, gains)]
    shares = [*counted[:2], 50 * np.mean(widths), *counted[2:]]
    return "| " + " | ".join(f"{share:.2f}" for share in shares) + " |"


def simulate(surface: Surface, slopes: Floats, rng: np.random.Generator) -> Rows:
    values = surface(DESIGN, slopes) + DEVIATION * rng.standard_normal((SEEDS, len(DESIGN)))
    networks = [dict(zip(DIMENSIONS, np.exp(x).tolist(), strict=True)) for x in DESIGN]
    return [{**n, "accuracy": float(v)} for seed in values for n, v in zip(networks, seed, strict=True)]


def true_optimum(surface: Surface, slopes: Floats) -> Floats:
    shares = np.array([(i / 30, j / 30, 1 - (i + j) / 30) for i in range(31) for j in range(31 - i)])
    best: Floats = shares[surface(shares * np.log(MULTIPLE) / COST_POWERS, slopes).argmax()]
    return best


if __name__ == "__main__":
    main()
