"""NAS-Bench-Macro (Su et al. 2021, arXiv 2103.11922): 6 561 MBConv networks, each trained three times on CIFAR-10."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from nas.tables.table import BenchmarkTable, is_cost

STAGES = (2, 3, 3)  # layers
OPERATORS = ("identity", "mbconv3_e3", "mbconv5_e6")


def load(path: str) -> BenchmarkTable:
    """The table in a file of the benchmark's own JSON: {"01210212": {"test_acc": [...], "params": ..., "flops": ...}}.

    Equal networks are one: their repetitions are pooled. FLOPs there are multiply-adds of convolution and linear
    layers. Raises ValueError where the file is not that.
    """
    rows = _read(path)
    keys = ["".join(digits) for digits in product("012", repeat=sum(STAGES))]
    if missing := [key for key in keys if key not in rows]:
        raise ValueError(f"{path} lacks {len(missing)} of NAS-Bench-Macro's {len(keys)} networks, such as {missing[0]}")
    numbers: dict[str, int] = {}
    network = np.array([numbers.setdefault(canonical(key), len(numbers)) for key in keys], dtype=np.int64)
    pooled: list[list[float]] = [[] for _ in numbers]
    for key, number in zip(keys, network, strict=True):
        pooled[number] += _accuracies(rows[key], key, path)
    measured = np.full((len(pooled), max(map(len, pooled))), np.nan)
    for row, values in zip(measured, pooled, strict=True):
        row[: len(values)] = values
    costs = np.array([(rows[key]["flops"], rows[key]["params"]) for key in numbers], dtype=np.int64)
    choices = {f"layer{layer}": OPERATORS for layer in range(1, sum(STAGES) + 1)}
    return BenchmarkTable(f"nas-bench-macro:{path}", choices, network, measured, costs[:, 0], costs[:, 1])


def canonical(key: str) -> str:
    """The key that stands for a network: among a stage's layers after the first, identities come last."""
    found, begin = "", 0
    for layers in STAGES:
        first, rest = key[begin], key[begin + 1 : begin + layers].replace("0", "")
        found += first + rest.ljust(layers - 1, "0")
        begin += layers
    return found


def _read(path: str) -> dict[str, Any]:
    try:
        rows = json.loads(Path(path).read_text())
    except OSError as error:
        raise ValueError(f"cannot read table {path}: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"table {path} is no JSON: nas-bench-macro needs the benchmark's own file") from None
    if not isinstance(rows, dict):
        raise ValueError(f"table {path} must map 8 digits to what was measured, got a {type(rows).__name__}")
    return rows


def _accuracies(row: Any, key: str, path: str) -> list[float]:
    """A network's accuracies, its costs checked as well."""
    known = row if isinstance(row, dict) else {}
    values = known.get("test_acc")
    if not isinstance(values, list) or not all(map(is_cost, (known.get("flops"), known.get("params")))):
        raise ValueError(
            f"network {key} of {path} needs test_acc (a list), and flops and params that are whole and above 0, "
            f"got {row!r:.80}"
        )
    numbers = [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if not values or len(numbers) < len(values) or not np.isfinite(numbers).all():
        raise ValueError(f"network {key} of {path} needs finite test_acc, got {values!r:.80}")
    return numbers
