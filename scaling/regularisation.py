"""Regularisation that grows with a network's cost, whatever dimension the cost went into (EN, Section 5)."""

from __future__ import annotations

import math
from typing import Any

from studies.recipe import Recipe

# EN: dropout rises linearly from 0.2 (B0) to 0.5 (B7), whose multiply-adds are 2^6.6 times B0's.
DROPOUT_A_DOUBLING = 0.3 / 6.6
MOST = 0.5


def for_multiple(recipe: Recipe, multiple: float) -> dict[str, Any]:
    """The recipe's fields that change for a network of `multiple` times the baseline's cost, plain JSON values.

    Dropout rises by 0.045 a doubling, to 0.5 at most; a recipe without dropout stays without. It depends on the
    multiple alone, so that strategies are compared at equal regularisation.
    """
    if not recipe.dropout or multiple <= 1:
        return {}
    return {
        "dropout": round(max(recipe.dropout, min(MOST, recipe.dropout + DROPOUT_A_DOUBLING * math.log2(multiple))), 4)
    }
