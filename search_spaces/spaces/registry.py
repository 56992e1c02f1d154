"""Search spaces by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from search_spaces.common.suggest import nearest

if TYPE_CHECKING:
    from search_spaces.spaces.space import Space

NAMES = ("mnasnet", "small", "efficientnetv2")


def space(name: str, **settings: Any) -> Space:
    """A search space by name: mnasnet (`mnasnet_space`), small (`small_space`) or efficientnetv2
    (`efficientnetv2_space`); `settings` are their arguments, such as resolution and classes. The same name and settings
    give the same space, whose tables are then made once. Raises ValueError, with the nearest known name, for an unknown
    name or setting.
    """
    if name not in NAMES:
        raise ValueError(f"unknown space '{name}'{nearest(name, NAMES)}")
    from search_spaces.spaces.efficientnetv2 import efficientnetv2_space
    from search_spaces.spaces.mnasnet import mnasnet_space, small_space

    make = {"mnasnet": mnasnet_space, "small": small_space, "efficientnetv2": efficientnetv2_space}[name]
    known = inspect.signature(make).parameters
    for setting in settings:
        if setting not in known:
            raise ValueError(f"space {name} has no setting '{setting}'{nearest(setting, known)}")
    return _made(make, **settings)


@lru_cache(maxsize=8, typed=True)
def _made(make: Callable[..., Space], **settings: Any) -> Space:
    return make(**settings)
