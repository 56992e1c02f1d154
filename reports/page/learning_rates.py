"""The column with networks' own learning rates."""

from __future__ import annotations

import math
from collections.abc import Iterable

from reports.page.content import Column
from reports.page.values import ratio


def learning_rate_columns(rates: Iterable[float]) -> tuple[Column, ...]:
    """The column "lr" of these peak learning rates; none if all are nan, because all networks have the recipe's."""
    if all(map(math.isnan, rates)):
        return ()
    return (Column("lr", "learning rate", "", ratio, "peak learning rate, the network's best on validation images"),)
