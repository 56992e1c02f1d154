"""Finding a baseline network: objectives, samplers, and the search over Ray Tune workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search_spaces.common.lazy import lazy_names

if TYPE_CHECKING:
    from nas.in_process import SearchStudy, optimize
    from nas.objectives.form import Objective
    from nas.objectives.rewards import mnas_reward, training_aware_reward

__all__ = [
    "Objective",
    "SearchStudy",
    "mnas_reward",
    "optimize",
    "training_aware_reward",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Objective": "nas.objectives.form",
        "SearchStudy": "nas.in_process",
        "mnas_reward": "nas.objectives.rewards",
        "optimize": "nas.in_process",
        "training_aware_reward": "nas.objectives.rewards",
    },
)
