"""The zero-cost proxies by name, a row each. docs/search.md says where they depart from their papers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search_spaces.common.registry import Registry, Row

if TYPE_CHECKING:
    from torch import Tensor, nn

    Score = Callable[[nn.Module, Tensor, Tensor], float]


@dataclass(frozen=True, kw_only=True)
class ZeroCostProxy(Row):
    """A zero-cost proxy's row. Its code is a function of a network, images [N, C, H, W] and labels [N]; more is better.

    The function leaves the network as it was.
    """

    @property
    def score(self) -> Score:
        """The function, imported on use. Loads torch."""
        score: Score = self.load()
        return score


def adopt(name: str, found: Any) -> ZeroCostProxy:
    """The row of a user's zero-cost proxy."""
    try:
        inspect.signature(found).bind(None, None, None)
    except (TypeError, ValueError):
        raise ValueError("must be a function of a network, images and labels that returns a number") from None
    return ZeroCostProxy(name=name, code=name, label=name)


ZERO_COST_PROXIES = Registry(
    "zero-cost proxy",
    [
        ZeroCostProxy(
            name="synflow", code="nas.zero_cost.synflow:score", label="synaptic flow", source="arXiv 2006.05467"
        ),
        ZeroCostProxy(
            name="naswot", code="nas.zero_cost.naswot:score", label="activation overlap", source="arXiv 2006.04647"
        ),
        ZeroCostProxy(
            name="jacob_cov",
            code="nas.zero_cost.jacob_cov:score",
            label="Jacobian covariance",
            source="arXiv 2006.04647v1",
        ),
        ZeroCostProxy(
            name="grad_norm", code="nas.zero_cost.grad_norm:score", label="gradient norm", source="arXiv 2101.08134"
        ),
    ],
    adopt,
)
