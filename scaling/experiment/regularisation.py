"""Regularisation that grows with a network's cost, independent of the dimension that grew (EN, Section 5)."""

from __future__ import annotations

import math
from typing import Any

from studies.trainer.recipe import Recipe
from studies.trainer.registry import grown_dropout


def for_multiple(recipe: Recipe, multiple: float) -> dict[str, Any]:
    """The recipe's fields that change for a network of `multiple` times the baseline's cost, plain JSON values.

    Dropout rises by 0.045 a doubling, to 0.5 at most; a recipe without dropout stays without. It depends on the
    multiple alone, so that strategies are compared at equal regularisation.
    """
    if not recipe.dropout or multiple <= 1:
        return {}
    return {"dropout": round(grown_dropout(math.log2(multiple), recipe.dropout), 4)}
