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

    definition  what the score is
    choices     where the source leaves a choice, or the code departs from it
    """

    definition: str = ""
    choices: str = ""

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
            name="synflow",
            code="nas.zero_cost.synflow:score",
            label="synaptic flow",
            source="Tanaka et al. 2020, arXiv 2006.05467",
            definition="the flow through the absolute weights from an input of ones",
            choices="logarithm; batch norm in eval mode; activations and squeeze-and-excitation are skipped",
        ),
        ZeroCostProxy(
            name="naswot",
            code="nas.zero_cost.naswot:score",
            label="activation overlap",
            source="Mellor et al. 2021, arXiv 2006.04647",
            definition="log-determinant of the overlap of activation patterns",
            choices="a unit's bit is the sign of what enters it, for ReLU6 and SiLU too; gates have none",
        ),
        ZeroCostProxy(
            name="jacob_cov",
            code="nas.zero_cost.jacob_cov:score",
            label="Jacobian covariance",
            source="Mellor et al. 2020, arXiv 2006.04647v1",
            definition="how uncorrelated the images' Jacobians are",
            choices="as its authors' program",
        ),
        ZeroCostProxy(
            name="grad_norm",
            code="nas.zero_cost.grad_norm:score",
            label="gradient norm",
            source="Abdelfattah et al. 2021, arXiv 2101.08134",
            definition="gradient norms after one batch, summed over layers",
            choices="no label smoothing",
        ),
    ],
    adopt,
)
