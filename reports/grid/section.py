"""The section on alpha, beta, gamma: which coefficients a grid found, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reports.grid import figures as drawings
from reports.grid.data import (
    SIZES,
    NetworkData,
    Triple,
    coefficients_of,
    conclusions_of,
    left_out,
    networks,
    show_coefficients,
)
from reports.grid.words import TERMS, describe, headline
from reports.page.content import Cell, Column, Figure, Section, Table
from reports.page.learning_rates import learning_rate_columns
from reports.page.metrics import metric_column
from reports.page.values import estimate_of, half_width, percentage, ratio
from reports.reading.labels import labels, stems
from reports.reading.runs import Kind, RunData
from scaling.grid.analysis import COEFFICIENTS

PAPER: Triple = (1.2, 1.1, 1.15)
MAX_SHOWN = 40


def sections(runs: Sequence[RunData]) -> list[Section]:
    """The section on all runs of scaling.grid; none where there is no such run."""
    mine = [run for run in runs if run.kind is Kind.GRID]
    if not mine:
        return []
    items: list[str | Figure | Table] = []
    warned: list[str] = []
    missing: list[str] = []
    for run, label, suffix in zip(mine, labels(mine), stems("", mine), strict=True):
        prefix, found = f"{label}: " if len(mine) > 1 else "", networks(run)
        if found:
            items += _of_run(run, found, prefix, suffix)
        if (conclusions := conclusions_of(run)) and found:
            warned += [prefix + line for line in conclusions.warnings(max(one.seeds for one in found))]
        missing += [prefix + line for line in _missing(run, found)]
    if len(mine) > 1:
        items.insert(0, _side_by_side(mine))
    return [Section("grid", "The coefficients alpha, beta, gamma", tuple(items), tuple(warned), tuple(missing), TERMS)]


def _missing(run: RunData, found: Sequence[NetworkData]) -> list[str]:
    command = f"`python -m scaling.grid --config {run.folder / 'config.yaml'} --run {run.folder}`"
    if not found:
        return [f"{run.folder} has no trained network yet (its status: {run.status}): {command} resumes it"]
    if not run.result:
        return [
            f"conclusions (no readable coefficients.json; status: {run.status}): accuracies are shown as they are, "
            f"not adjusted to one cost: {command} resumes it"
        ]
    return []


def _of_run(run: RunData, found: Sequence[NetworkData], prefix: str, suffix: str) -> list[str | Figure | Table]:
    conclusions = conclusions_of(run)
    lines = [headline(run, conclusions, found), *(describe(conclusions) if conclusions else ())]
    return [
        *(prefix + line for line in lines),
        _triangle(run, found, prefix, suffix),
        _ranking(run, found, prefix, suffix),
        _table(found, prefix, suffix),
    ]


def _triangle(run: RunData, found: Sequence[NetworkData], prefix: str, suffix: str) -> Figure:
    gone = left_out(run, found) if run.result else []
    marks = {"EN's 1.2/1.1/1.15": PAPER}
    law = run.result.get("law")
    if isinstance(law, Mapping) and (optimum := coefficients_of(law.get("optimum"))):
        marks["the law's optimum"] = optimum
    data = drawings.TriangleData(found, gone, marks)
    equal = sum(bool(one.is_equal) for one in found)
    shared = sum(len(one.points) - 1 for one in found)
    best = f"{show_coefficients(found[0].coefficients)}, {100 * found[0].accuracy.value:.1f} %"
    remarks = [
        f"{equal} of {len(found)} networks, outlined, are not significantly different from it" * bool(run.result),
        f"{shared} points round to a network that another point represents (small dots)" * bool(shared),
        f"{len(gone)} points left out (crosses)" * bool(gone),
    ]
    return Figure(
        f"grid-shares{suffix}",
        f"{prefix}Accuracy by the shares of depth, width and resolution",
        "Each point of the grid is drawn by its shares of the growth in cost: log α, 2 log β, 2 log γ over their sum; "
        f"at a corner one dimension has the whole growth. Best: {'; '.join(filter(None, [best, *remarks]))}.",
        "A triangle with depth, width and resolution at its corners: networks as dots coloured by accuracy.",
        lambda axes: drawings.triangle(data, axes[0]),
        size=(7.0, 6.2),
    )


def _ranking(run: RunData, found: Sequence[NetworkData], prefix: str, suffix: str) -> Figure:
    own = run.result.get("trained_baseline")
    baseline = estimate_of(own.get("accuracy")) if isinstance(own, Mapping) else None
    shown = found[:MAX_SHOWN]
    cut = f" The best {len(shown)} of {len(found)}." if len(shown) < len(found) else ""
    hollow = " Hollow: significantly worse than the best (multiple comparisons)." * bool(run.result)
    return Figure(
        f"ranking{suffix}",
        f"{prefix}The networks in order",
        f"Mean over seeds with 95 % intervals, the variance pooled over all networks.{hollow}{cut}",
        "Networks by accuracy, best on top, each with its interval; the baseline as a dashed line.",
        lambda axes: drawings.ranking(shown, baseline, axes[0]),
        size=(7.0, 1.3 + 0.27 * len(shown)),
    )


def _table(found: Sequence[NetworkData], prefix: str, suffix: str) -> Table:
    rates = learning_rate_columns(one.lr for one in found)
    rows: list[dict[str, Cell]] = [
        {
            **dict(zip(COEFFICIENTS, one.coefficients, strict=True)),
            **dict(zip(SIZES, one.sizes, strict=True)),
            "cost": one.cost,
            **one.metrics,
            "points": len(one.points),
            "accuracy": one.accuracy.value,
            "half": half_width(one.accuracy),
            "seeds": one.seeds,
            "among_the_best": {True: "yes", False: "no", None: ""}[one.is_equal],
            **{column.key: one.lr for column in rates},
        }
        for one in found
    ]
    columns = (
        *(
            Column(name, letter, "", ratio, f"{name}, as asked for")
            for name, letter in zip(COEFFICIENTS, "αβγ", strict=True)
        ),
        Column("depth", "d", "", ratio, "realised depth multiplier: layers over the baseline's"),
        Column("width", "w", "", ratio, "realised width multiplier: mean ratio of channels to the baseline's"),
        Column("resolution", "r", "", ratio, "realised resolution multiplier: input side over the baseline's"),
        Column("cost", "cost", "× baseline", ratio),
        *(metric_column(name) for name in dict.fromkeys(["macs", *(name for one in found for name in one.metrics)])),
        Column("points", "points", "", str, "points of the grid that round to this network"),
        *rates,
        Column("accuracy", "accuracy", "%", percentage, "of validation images, adjusted to the target cost"),
        Column("half", "±", "points", percentage, "half the 95 % interval, its variance pooled over all networks"),
        Column("seeds", "seeds"),
        Column("among_the_best", "among the best", "", str, "yes: not significantly different from the best"),
    )
    return Table(
        f"grid-networks{suffix}", f"{prefix}The networks of the grid", columns, rows, marked=lambda row: row is rows[0]
    )


def _side_by_side(runs: Sequence[RunData]) -> Table:
    """What each grid found, a row a run."""
    rows = []
    for run, label in zip(runs, labels(runs), strict=True):
        choice = run.result.get("choice")
        test = estimate_of(choice.get("test_accuracy")) if isinstance(choice, Mapping) else None
        law, found = run.result.get("law"), coefficients_of(run.result.get("coefficients"))
        optimum = coefficients_of(law.get("optimum")) if isinstance(law, Mapping) else None
        row: dict[str, Cell] = {
            "run": label,
            "dataset": str(run.setting("data.dataset", "")),
            "found": show_coefficients(found) if found else "",
            "law": show_coefficients(optimum) if optimum else "",
            "accuracy": test.value if test else None,
            "half": half_width(test) if test else None,
        }
        rows.append(row)
    columns = (
        Column("run", "run"),
        Column("dataset", "data set"),
        Column("found", "α/β/γ found"),
        Column("law", "the law's optimum"),
        Column("accuracy", "accuracy of the choice", "%", percentage, "of test images, retrained with fresh seeds"),
        Column("half", "±", "points", percentage),
    )
    return Table("grids", "What each grid found", columns, rows)
