"""Names that are imported on first use, so that importing a package or reading a registry stays quick."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def resolve(code: str) -> Any:
    """The attribute that "module:attribute" names; its module is imported."""
    module, _, attribute = code.partition(":")
    return getattr(import_module(module), attribute)


def lazy_names(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package whose names lie in the modules `homes`, by name."""

    def __getattr__(name: str) -> object:  # noqa: N807
        if name not in homes:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        value: object = resolve(f"{homes[name]}:{name}")
        setattr(sys.modules[package], name, value)
        return value

    def __dir__() -> list[str]:  # noqa: N807
        return sorted({*vars(sys.modules[package]), *homes})

    return __getattr__, __dir__
