"""Figures of a search's network and of what its choice depended on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.analysis.importance import Importance
from reports.figures.search import plain
from reports.style import INK, MUTED, look
from reports.writing.network_tables import Row

MOST_CHOICES = 12
COSTS = {"macs": "multiply-adds", "params": "parameters", "activations": "activations"}


def layer_costs(rows: Sequence[Row], axes: Sequence[Axes]) -> None:
    """Each layer's share (%) of the network's multiply-adds, parameters and activations, a panel each."""
    names = [f"{row['stage']}  {row['operator']}" for row in rows]
    places = np.arange(len(rows))
    styles = (look("depth"), look("width"), look("resolution"))
    for ax, (cost, title), style in zip(axes, COSTS.items(), styles, strict=True):
        values = np.array([float(row[cost] or 0) for row in rows])
        shares = 100 * values / max(1.0, values.sum())
        ax.barh(places, shares, color=style["color"])
        for place, share in zip(places, shares, strict=True):
            ax.annotate(f" {share:.1f}", (share, place), va="center", fontsize=8)
        ax.set(title=title, xlabel="share of the network (%)", xlim=(0, 1.18 * shares.max()))
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.set_yticks(places, [plain(name) for name in names] if ax is axes[0] else [""] * len(names))
        ax.grid(axis="y", visible=False)


def weight_sweep(sweep: pd.DataFrame, own: float | None, axes: Sequence[Axes]) -> None:
    """Multiply-adds (left) and accuracy (right) of the network that the soft reward with weight w would pick."""
    panels = (("macs", 1e-6, "FLOPs of the pick (millions)"), ("accuracy", 100, "proxy accuracy of the pick (%)"))
    for ax, (column, factor, label) in zip(axes, panels, strict=True):
        ax.step(sweep["weight"], factor * sweep[column], where="mid", color=look("compound")["color"])
        if own is not None:
            ax.axvline(own, color=INK, linestyle=":", linewidth=1.2)
            told, place = f" this search's w = {own:g}", ("data", "axes fraction")
            ax.annotate(told, (own, 1.0), xycoords=place, fontsize=8, va="top")
        ax.set(xlabel="w (further right: cost matters more)", ylabel=label, xlim=(0, float(sweep["weight"].min())))
        ax.margins(y=0.15)


def importances(found: Importance, ax: Axes) -> None:
    """The most important choices with intervals, and the line up to which chance alone reaches."""
    shown = min(MOST_CHOICES, len(found.choices))
    places = np.arange(shown)
    value, low, high = (part[:shown] for part in (found.value, found.low, found.high))
    ax.hlines(places, low, high, color=look("depth")["color"])
    ax.plot(value, places, color=look("depth")["color"], linestyle="", marker="o", clip_on=False)
    ax.axvline(found.chance, color=MUTED, linestyle="--")
    ax.annotate(" chance alone", (found.chance, 0.0), xycoords=("data", "axes fraction"), fontsize=8, va="bottom")
    ax.set_yticks(places, [plain(name) for name in found.choices[:shown]])
    ax.set(xlabel="divergence of the best quarter's options from all trials' (0: none)", xlim=(0, None))
    ax.set_ylim(shown - 0.4, -0.6)
