"""The published networks by name, and our own small one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from search_spaces.common.suggest import nearest
from search_spaces.common.user_code import called, is_user_code, load_user_code
from search_spaces.networks.arch import Arch
from search_spaces.zoo import efficientnet, efficientnetv2, resnet
from search_spaces.zoo.mnasnet import MNASNET_A1, MNASNET_B1
from search_spaces.zoo.mobilenet import MOBILENET_V1, MOBILENET_V2
from search_spaces.zoo.triaxis_small import TRIAXIS_SMALL

FAMILIES: tuple[tuple[Callable[[str], Arch], tuple[str, ...]], ...] = (
    (efficientnet.efficientnet, tuple(efficientnet.PUBLISHED)),
    (efficientnetv2.efficientnetv2, tuple(efficientnetv2.PUBLISHED)),
    (resnet.resnet, tuple(resnet.PUBLISHED)),
)
MEMBERS = {name: make for make, members in FAMILIES for name in members}
TABLES = {
    arch.name: arch
    for arch in (
        efficientnetv2.S,
        efficientnetv2.M,
        efficientnetv2.L,
        efficientnetv2.XL,
        MNASNET_A1,
        MNASNET_B1,
        MOBILENET_V1,
        MOBILENET_V2,
        TRIAXIS_SMALL,
    )
}


def find(network: str) -> Arch:
    """The arch that a published name, an arch file or a user's own `module:name` means.

    Raises ValueError if it is none of them.
    """
    if network in names() or is_user_code(network):
        return get(network)
    if Path(network).exists() or "/" in network or network.endswith(".json"):
        return Arch.load(network)
    raise ValueError(f"'{network}' is neither a published network nor an arch file{nearest(network, names())}")


def names() -> tuple[str, ...]:
    """Every name that `get` knows."""
    return (*MEMBERS, *TABLES)


def get(name: str) -> Arch:
    """A published network at its published resolution, or a user's own `module:name`: an Arch, or a function without
    arguments that returns one. Raises ValueError, with the nearest name, if unknown.
    """
    if name in MEMBERS:
        return MEMBERS[name](name)
    if name in TABLES:
        return TABLES[name]
    if not is_user_code(name):
        raise ValueError(f"unknown network '{name}'{nearest(name, names())}")
    found = load_user_code("network", name)
    made = called(f"network {name}", found) if callable(found) else found
    if not isinstance(made, Arch):
        raise ValueError(
            f"network {name} must be an Arch, or a function without arguments that returns one, got "
            f"{type(made).__name__}"
        )
    return made
