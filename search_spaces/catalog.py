"""The published networks by name, and our own small one."""

from __future__ import annotations

from search_spaces import efficientnet
from search_spaces.arch import Arch
from search_spaces.mnasnet import MNASNET_A1, MNASNET_B1
from search_spaces.mobilenet import MOBILENET_V2
from search_spaces.naming import nearest
from search_spaces.small import TRIAXIS_SMALL

TABLES = {arch.name: arch for arch in (MNASNET_A1, MNASNET_B1, MOBILENET_V2, TRIAXIS_SMALL)}


def names() -> tuple[str, ...]:
    """Every name that `get` knows."""
    return (*efficientnet.PUBLISHED, *TABLES)


def get(name: str) -> Arch:
    """A published network at its published resolution. Raises ValueError, with the near name, for an unknown one."""
    if name in efficientnet.PUBLISHED:
        return efficientnet.efficientnet(name)
    if name in TABLES:
        return TABLES[name]
    raise ValueError(f"unknown network '{name}'{nearest(name, names())}")
