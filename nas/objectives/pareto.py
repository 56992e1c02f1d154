"""The Pareto front of a quality and a metric."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def pareto_front(accuracy: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.bool_]:
    """[n] which networks are on the Pareto front: no other is as accurate, as cheap, and better in one of the two."""
    front = np.zeros(len(cost), dtype=bool)
    best, cost_of_best = -np.inf, -np.inf
    for index in np.lexsort((-accuracy, cost)):
        # An equal twin of the last front member (same accuracy, same cost) belongs to the front as well.
        if accuracy[index] > best or (accuracy[index] == best and cost[index] == cost_of_best):
            front[index] = True
            best, cost_of_best = accuracy[index], cost[index]
    return front
