"""How well early rungs ranked networks in comparison with the last rung, among trials that were never stopped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from studies.statistics.intervals import Estimate, kendall

# Below this Kendall's tau cannot be computed at all.
MIN_TRIALS = 3


@dataclass(frozen=True)
class Agreement:
    """Kendall's tau between the rankings after `step` and after `last` (passes over the training images)."""

    step: int
    last: int
    tau: Estimate


def unstopped(complete: pd.DataFrame, stopped: bool) -> pd.DataFrame:
    """The networks on which rungs are compared: those never pruned, or all if nothing is ever stopped.

    Those that merely survived would hide the early rungs' errors.
    """
    return complete[complete["never_pruned"]] if stopped else complete


def agreements(networks: pd.DataFrame) -> list[Agreement]:
    """Of each rung with the last one; none where there are fewer than MIN_TRIALS networks or two rungs."""
    rungs = [name for name in map(str, networks) if name.startswith("accuracy_")]
    steps = sorted(int(name[9:]) for name in rungs if networks[name].notna().any())
    found = []
    for step in steps[:-1]:
        pairs = networks[[f"accuracy_{step}", f"accuracy_{steps[-1]}"]].dropna()
        early, late = (pairs[name].to_numpy(dtype=np.float64) for name in pairs)
        if len(pairs) >= MIN_TRIALS and np.ptp(early) > 0 and np.ptp(late) > 0:
            found.append(Agreement(step, steps[-1], kendall(early, late, np.random.default_rng(0))))
    return found
