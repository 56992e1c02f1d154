"""Figures of a search: its progress, the networks it tried, and what its choice depended on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from nas.objectives.form import Objective
from nas.objectives.pareto import pareto_front
from nas.objectives.rewards import Aim
from reports.page.network_tables import Row
from reports.page.scales import plain
from reports.page.style import INK, MUTED, sampler_style
from reports.search.expected_best import RandomSearch
from reports.search.importance import Importance
from search_spaces.common.palette import BLUE, GREEN, ORANGE, PINK, RED
from search_spaces.metrics.registry import Metric

UNITS = ((3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
PROPOSED_BY = {"uniform": "drawn uniformly", "tpe": "proposed by TPE", "predictor": "proposed by the predictor"}
EQUAL_REWARDS = 5
# Of several searches: each has another colour and another kind of line.
COLORS, LINES = (BLUE, ORANGE, GREEN, RED, PINK), ("-", "--", "-.", ":")
MAX_CHOICES = 12
COST_COLUMNS = {"macs": "multiply-adds", "params": "parameters", "activations": "activations"}


def progress(trials: pd.DataFrame, axes: Sequence[Axes]) -> None:
    """Reward of each trial of a `Searched`, and the best so far: against trials (left), worker time (right)."""
    seconds, unit = time_unit(float(trials["spent"].max()))
    labels = ("trial", f"worker time so far ({unit})")
    for ax, x, label in zip(axes, (trials["trial"], trials["spent"] / seconds), labels, strict=True):
        _marks(ax, trials, x, trials["reward"])
        ax.step(x, trials["best"], where="post", color=INK, label="best so far")
        ax.set(xlabel=label, ylabel="reward", xlim=(0, None))
    legend_below(axes[0])


def best_so_far(searches: Mapping[str, pd.DataFrame], axes: Sequence[Axes]) -> None:
    """The best reward so far of several searches: against trials (left), worker time (right)."""
    longest = max((float(trials["spent"].max()) for trials in searches.values() if len(trials)), default=0.0)
    seconds, unit = time_unit(longest)
    for index, (name, trials) in enumerate(searches.items()):
        color, dashes = COLORS[index % len(COLORS)], LINES[index % len(LINES)]
        for ax, x in zip(axes, (trials["trial"], trials["spent"] / seconds), strict=True):
            ax.step(x, trials["best"], where="post", linestyle=dashes, color=color, label=plain(name))
    for ax, label in zip(axes, ("trial", f"worker time so far ({unit})"), strict=True):
        ax.set(xlabel=label, ylabel="best reward so far", xlim=(0, None))
    legend_below(axes[0])


def metric_scale(metric: Metric, values: pd.Series) -> tuple[float, str]:
    """The unit of an axis in raw units of the metric, and the axis' label."""
    largest = float(values.max()) if len(values) else 0.0
    if metric.quantity == "seconds":
        return (1e-3, f"{metric.label} (ms)") if largest < 1 else (1.0, f"{metric.label} (s)")
    if metric.quantity == "bytes":
        return 2.0**20, f"{metric.label} of the full network (MiB)"
    unit = f" of {metric.unit}" if metric.title != metric.label else ""
    if largest < 1e4:
        return 1.0, f"{metric.label} of the full network"
    return 1e6, f"{metric.label} of the full network (millions{unit})"


def accuracy_against(
    trials: pd.DataFrame, objective: Objective, aim: Aim, metric: Metric, winner: str, ax: Axes
) -> None:
    """Accuracy (%) against a metric of the full network: trials, Pareto front, target, equal rewards, the winner."""
    unit, label = metric_scale(metric, trials[metric.name])
    x = trials[metric.name] / unit
    _marks(ax, trials, x, 100 * trials["accuracy"])
    complete = trials[trials["complete"]]
    front = complete[pareto_front(complete["accuracy"].to_numpy(), complete[metric.name].to_numpy(dtype=np.float64))]
    front = front.sort_values(metric.name)
    ax.step(front[metric.name] / unit, 100 * front["accuracy"], where="post", color=INK, label="Pareto front")
    if metric.name == aim.metric:
        ax.axvline(aim.target / unit, color=MUTED, linestyle=":", label=f"target {metric.format(aim.target)}")
    if objective.is_product and objective.metrics == (metric.name,):
        _equal_rewards(ax, trials, objective, unit)
    for _, won in complete[complete["key"] == winner].head(1).iterrows():
        place = (won[metric.name] / unit, 100 * won["accuracy"])
        ax.plot(*place, "*", color=RED, markersize=15, zorder=4, label="the winner")
    ax.set(xlabel=label, ylabel="accuracy of the proxy (%)")
    legend_below(ax)


def expected_best(random: RandomSearch, trials: pd.DataFrame, ax: Axes) -> None:
    """The expected best reward of n random trials with its interval, and the search's best after n trials."""
    color = sampler_style("uniform")["color"]
    ax.plot(random.trials, random.expected, color=color, label="expected best of n random trials")
    ax.fill_between(random.trials, random.low, random.high, color=color, alpha=0.25, label="95 % interval")
    ax.step(trials["trial"], trials["best"], where="post", color=INK, label="this search, best so far")
    ax.set(xlabel="trials n (logarithmic)", ylabel="reward", xscale="log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    legend_below(ax)


def time_unit(seconds: float) -> tuple[float, str]:
    """The seconds of the largest unit that a time has at least two of, and its name."""
    return next((size, name) for size, name in UNITS if seconds >= 2 * size or size == 1.0)


def _marks(ax: Axes, trials: pd.DataFrame, x: pd.Series, y: pd.Series) -> None:
    """Trials by how they were drawn, smaller the more they are; those that were not trained to the end are hollow."""
    size = max(4.0, 26 * min(1.0, (300 / max(1, len(trials))) ** 0.5))
    for drawn in sorted(set(trials["proposed_by"]), reverse=True):
        mine, style = trials["proposed_by"] == drawn, sampler_style(str(drawn))
        label = PROPOSED_BY.get(str(drawn), f"proposed by {plain(str(drawn))}" if drawn else "trained to the end")
        full, hollow = mine & trials["complete"], mine & ~trials["complete"]
        ax.scatter(x[full], y[full], s=size, label=label, linewidths=0, **style)  # type: ignore[arg-type]
        ax.scatter(
            x[hollow], y[hollow], s=0.8 * size, facecolors="none", edgecolors=style["color"], marker=style["marker"]
        )
    if not trials["complete"].all():
        ax.scatter(
            [], [], s=20, facecolors="none", edgecolors=MUTED, marker="o", label="hollow: not trained to the end"
        )


def _equal_rewards(ax: Axes, trials: pd.DataFrame, objective: Objective, unit: float) -> None:
    """Lines on which the reward is the same, from the lowest to the highest that was reached.

    The reward must be a function of accuracy and of the one metric that the axis shows, in `unit` raw units.
    """
    rewards = trials["reward"].dropna()
    if rewards.empty:
        return
    (metric,) = objective.metrics
    ends, limits = ax.get_xlim(), ax.get_ylim()
    costs = np.linspace(max(ends[0], 1e-6), ends[1], 200)
    factor = np.array([objective.reward(1.0, {metric: value * unit}) for value in costs])
    for level in np.linspace(rewards.min(), rewards.max(), EQUAL_REWARDS):
        ax.plot(costs, 100 * level / factor, color=MUTED, linewidth=0.9, linestyle="--")
        if limits[0] < 100 * level / factor[-1] < limits[1]:
            ax.annotate(f"{level:.3f}", (costs[-1], 100 * level / factor[-1]), color=MUTED, fontsize=8, va="center")
    ax.plot([], [], color=MUTED, linewidth=0.9, linestyle="--", label="equal reward")
    ax.set(xlim=ends, ylim=limits)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def legend_below(ax: Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    figure = ax.get_figure()
    if handles and figure is not None:
        figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(labels)))


def layer_costs(rows: Sequence[Row], axes: Sequence[Axes]) -> None:
    """Each layer's share (%) of the network's multiply-adds, parameters and activations, a panel each."""
    names = [f"{row['stage']}  {row['operator']}" for row in rows]
    places = np.arange(len(rows))
    for ax, (cost, title), color in zip(axes, COST_COLUMNS.items(), (BLUE, ORANGE, GREEN), strict=True):
        values = np.array([float(row[cost] or 0) for row in rows])
        shares = 100 * values / max(1.0, values.sum())
        ax.barh(places, shares, color=color)
        for place, share in zip(places, shares, strict=True):
            ax.annotate(f" {share:.1f}", (share, place), va="center", fontsize=8)
        ax.set(title=title, xlabel="share of the network (%)", xlim=(0, 1.18 * shares.max()))
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.set_yticks(places, [plain(name) for name in names] if ax is axes[0] else [""] * len(names))
        ax.grid(axis="y", visible=False)


def weight_sweep(sweep: pd.DataFrame, metric: Metric, own: float | None, axes: Sequence[Axes]) -> None:
    """Cost (left) and accuracy (right) of the network that the soft reward with weight w would pick."""
    unit, label = metric_scale(metric, sweep["cost"])
    panels = (("cost", 1 / unit, label), ("accuracy", 100, "proxy accuracy of the pick (%)"))
    for ax, (column, factor, label) in zip(axes, panels, strict=True):
        ax.step(sweep["weight"], factor * sweep[column], where="mid", color=RED)
        if own is not None:
            ax.axvline(own, color=INK, linestyle=":", linewidth=1.2)
            remark = f" this search's w = {own:g}"
            ax.annotate(remark, (own, 1.0), xycoords=("data", "axes fraction"), fontsize=8, va="top")
        ax.set(xlabel="w (further right: cost matters more)", ylabel=label, xlim=(0, float(sweep["weight"].min())))
        ax.margins(y=0.15)


def importances(found: Importance, ax: Axes) -> None:
    """The most important choices with intervals, and the line up to which chance alone reaches."""
    shown = min(MAX_CHOICES, len(found.choices))
    places = np.arange(shown)
    value, low, high = (part[:shown] for part in (found.value, found.low, found.high))
    ax.hlines(places, low, high, color=BLUE)
    ax.plot(value, places, color=BLUE, linestyle="", marker="o", clip_on=False)
    ax.axvline(found.chance, color=MUTED, linestyle="--")
    ax.annotate(" chance alone", (found.chance, 0.0), xycoords=("data", "axes fraction"), fontsize=8, va="bottom")
    ax.set_yticks(places, [plain(name) for name in found.choices[:shown]])
    ax.set(xlabel="divergence of the best quarter's options from all trials' (0: none)", xlim=(0, None))
    ax.set_ylim(shown - 0.4, -0.6)
