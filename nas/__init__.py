"""Finding a baseline network: objectives, strategies, and the search over Ray Tune workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nas.objective import Objective, mnas_reward, training_aware_reward
    from nas.study import SearchStudy, optimize

__all__ = ["Objective", "SearchStudy", "mnas_reward", "optimize", "training_aware_reward"]

_HOME = dict.fromkeys(("Objective", "mnas_reward", "training_aware_reward"), "nas.objective")


def __getattr__(name: str) -> Any:
    """Import what is asked for, when it is asked for: Optuna and pandas are heavy."""
    if name not in __all__:
        raise AttributeError(f"module 'nas' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_HOME.get(name, "nas.study")), name)
