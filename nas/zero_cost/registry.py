"""The zero-cost proxies by name, a row each. docs/search.md says where they depart from their papers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search_spaces.common.lazy import resolve

if TYPE_CHECKING:
    from torch import Tensor, nn

    Score = Callable[[nn.Module, Tensor, Tensor], float]


@dataclass(frozen=True)
class ZeroCostProxy:
    """A zero-cost proxy's row.

    code    its function as "module:function": of a network, images [N, C, H, W] and labels [N]; more is better
    label   what it scores, in words
    source  the paper
    """

    code: str
    label: str
    source: str

    @property
    def score(self) -> Score:
        """The function, imported on use. It leaves the network as it was. Loads torch."""
        score: Score = resolve(self.code)
        return score


ZERO_COST_PROXIES = {
    "synflow": ZeroCostProxy("nas.zero_cost.synflow:score", "synaptic flow", "arXiv 2006.05467"),
    "naswot": ZeroCostProxy("nas.zero_cost.naswot:score", "activation overlap", "arXiv 2006.04647"),
    "jacob_cov": ZeroCostProxy("nas.zero_cost.jacob_cov:score", "Jacobian covariance", "arXiv 2006.04647v1"),
    "grad_norm": ZeroCostProxy("nas.zero_cost.grad_norm:score", "gradient norm", "arXiv 2101.08134"),
}
