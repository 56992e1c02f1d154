"""The figure of a benchmark: mean regret against trials."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from nas.benchmark.analysis import BenchmarkResult
from nas.benchmark.objective import TableObjective
from nas.samplers.registry import SAMPLERS

SIZE = (5.0, 3.6)  # inches of one panel
MIN_REGRET = 1e-3  # points; a logarithmic axis has no zero


def draw(found: Sequence[BenchmarkResult], objectives: Sequence[TableObjective], form: str = "svg") -> bytes:
    """A panel for each score: means as lines, 95 % intervals as bands, recommendations dashed."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=(SIZE[0] * len(objectives), SIZE[1]), layout="constrained")
    panels = figure.subplots(1, len(objectives), squeeze=False)[0]
    samplers = list(dict.fromkeys(result.sampler for result in found))
    for objective, axes in zip(objectives, panels, strict=True):
        for result in (row for row in found if row.score == objective.name):
            row = SAMPLERS.get(result.sampler)
            _curve(axes, result, row.color if row else f"C{samplers.index(result.sampler) % 10}")
        if objective.regret_of_largest:
            axes.axhline(
                objective.regret_of_largest, color="grey", linewidth=0.8, linestyle=":", label="largest network"
            )
        lowest = min((float(np.nanmin(row.mean)) for row in found if row.score == objective.name), default=MIN_REGRET)
        axes.set(title=objective.name, xlabel="trials", ylabel=f"mean regret ({objective.table.unit})", yscale="log")
        # Intervals that reach 0 would take most of a logarithmic axis.
        axes.set_ylim(bottom=max(lowest / 3, MIN_REGRET))
    panels[-1].legend(fontsize="x-small")
    drawn = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "triaxis", "svg.fonttype": "none"}):
        figure.savefig(drawn, format=form, metadata={"Date": None} if form == "svg" else None)
    return drawn.getvalue()


def _curve(axes: object, result: BenchmarkResult, colour: str) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    trials = np.arange(1, len(result.mean) + 1)
    recommended = result.chosen == "recommended"
    mean, half = result.mean, np.nan_to_num(result.half)
    label = f"{result.sampler}, its own choice" if recommended else result.sampler
    axes.plot(trials, np.maximum(mean, MIN_REGRET), color=colour, linestyle="--" if recommended else "-", label=label)
    low, high = (np.maximum(mean + sign * half, MIN_REGRET) for sign in (-1, 1))
    axes.fill_between(trials, low, high, color=colour, alpha=0.12, linewidth=0)
