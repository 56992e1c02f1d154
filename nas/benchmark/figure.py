"""Mean regret against trials, drawn."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from nas.benchmark.analysis import BenchmarkResult
from nas.benchmark.objective import TableObjective

SIZE = (5.0, 3.6)  # inches of one panel
FLOOR = 1e-3  # points; no regret at all has no place on a logarithmic axis


def draw(found: Sequence[BenchmarkResult], aims: Sequence[TableObjective], form: str = "svg") -> bytes:
    """A panel for each score: means as lines, 95 % intervals as bands, what a sampler itself chooses dashed."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=(SIZE[0] * len(aims), SIZE[1]), layout="constrained")
    panels = figure.subplots(1, len(aims), squeeze=False)[0]
    samplers = list(dict.fromkeys(standing.sampler for standing in found))
    for aim, axes in zip(aims, panels, strict=True):
        for standing in (row for row in found if row.score == aim.name):
            _curve(axes, standing, f"C{samplers.index(standing.sampler) % 10}")
        if aim.regret_of_largest:
            axes.axhline(aim.regret_of_largest, color="grey", linewidth=0.8, linestyle=":", label="largest network")
        lowest = min((float(np.nanmin(row.mean)) for row in found if row.score == aim.name), default=FLOOR)
        axes.set(title=aim.name, xlabel="trials", ylabel=f"mean regret ({aim.table.unit})", yscale="log")
        # Intervals that reach 0 would make most of a logarithmic axis theirs.
        axes.set_ylim(bottom=max(lowest / 3, FLOOR))
    panels[-1].legend(fontsize="x-small")
    drawn = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "triaxis", "svg.fonttype": "none"}):
        figure.savefig(drawn, format=form, metadata={"Date": None} if form == "svg" else None)
    return drawn.getvalue()


def _curve(axes: object, standing: BenchmarkResult, colour: str) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    trials = np.arange(1, len(standing.mean) + 1)
    own = standing.chosen == "recommended"
    mean, half = standing.mean, np.nan_to_num(standing.half)
    label = f"{standing.sampler}, its own choice" if own else standing.sampler
    axes.plot(trials, np.maximum(mean, FLOOR), color=colour, linestyle="--" if own else "-", label=label)
    low, high = (np.maximum(mean + sign * half, FLOOR) for sign in (-1, 1))
    axes.fill_between(trials, low, high, color=colour, alpha=0.12, linewidth=0)
