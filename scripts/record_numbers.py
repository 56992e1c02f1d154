"""Numbers that a restructuring must not change, to the last digit.

    python scripts/record_numbers.py NEW.json                      # some five minutes on two cores
    python scripts/record_numbers.py NEW.json --compare OLD.json   # and every difference from an earlier record
    python scripts/record_numbers.py NEW.json --only plans costs   # some parts only

Records belong to one machine: another processor rounds differently. The table of trained networks that samplers are
run on is NAS-Bench-Macro's file; without --macro that part is left out.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import search_spaces as ss
from scaling import Coefficients, get_strategy, scale, solve
from scaling.curves.config import CurvesConfig
from scaling.curves.plan import prepare as plan_curves
from scaling.grid.config import GridConfig
from scaling.grid.plan import prepare as plan_grid
from search_spaces.table import main as table
from search_spaces.zoo.registry import names

REFERENCE = "docs/reference"
TRIAL = ("outcome", "accuracy", "key", "value", "seed", "macs", "loss")
NUMBER = re.compile(r"\d[\d.,]*[MGk]?")
EPOCH = ("seed", "epoch", "train_loss", "validation_loss", "validation_accuracy", "lr")
# Published networks whose audit takes long and shows nothing that smaller ones of their family do not.
LARGE = re.compile(r"_(b[5678]|l2|xl|l|m)$")
SEARCHES = {
    "mnasnet": (
        *("--target-flops", "400M", "--proxy.images", "400", "--finalists", "2", "--finalist.seeds", "1"),
        *("--finalist.epochs", "1"),
    ),
    "small": (
        *("--target-flops", "20M", "--space", "small", "--proxy.images", "400", "--finalists", "1"),
        *("--finalist.seeds", "2", "--finalist.epochs", "1", "--sampler", "tpe"),
    ),
}


def plans(_: Path) -> dict[str, Any]:
    """The networks that grids and curves plan to train."""
    best = f"{REFERENCE}/search/best.json"
    found: dict[str, Any] = {}
    for name, settings in {
        "default": GridConfig(),
        "b0": GridConfig(baseline="efficientnet_b0"),
        "reference": GridConfig(baseline=best, max_flops="2.36M"),
        "raw": GridConfig(raw=True, phi=2.0),
    }.items():
        grid = plan_grid(settings).grid
        found[f"grid {name}"] = [
            *(
                [
                    *(one.arch.key, one.macs, repr(one.growth.nominal), repr(one.growth.realised)),
                    *(one.growth.macs_ratio, [[point.alpha, point.beta, point.gamma] for point in one.points]),
                ]
                for one in grid.networks
            ),
            [grid.points, sorted(grid.left_out.values()), grid.target],
        ]
    strategies = ("depth", "width", "resolution", "compound", "fast", "0:1:3", "v2")
    for name, curves in {
        "default": CurvesConfig(),
        "b0": CurvesConfig(baseline="efficientnet_b0", raw=True),
        "reference": CurvesConfig(baseline=best, strategies=strategies),
    }.items():
        found[f"curves {name}"] = [
            [point.curve, point.multiple, point.arch.key, point.macs, repr(point.growth.realised), point.target]
            for point in plan_curves(curves).points
        ]
    return found


def costs(_: Path) -> dict[str, Any]:
    """Costs of 10 000 random encodings of each space, the count of a band, and samples from it."""
    found = {}
    for name in ("mnasnet", "small", "efficientnetv2"):
        space, rng = ss.space(name), np.random.default_rng(0)
        encodings = np.stack([rng.integers(0, len(values), 10_000) for values in space.choices.values()], axis=1)
        spent = space.costs(encodings)
        fields = [np.asarray(values) for values in (spent.params, spent.macs, spent.activations)]
        band = int(np.quantile(fields[1], 0.4)), int(np.quantile(fields[1], 0.6))
        found[name] = {
            "costs": [_digest(values) for values in fields],
            "sums": [int(values.sum()) for values in fields],
            "sample": _digest(np.asarray(space.sample(np.random.default_rng(1), 50, macs=band))),
            "size": str(space.size),
            "count": repr(space.count(macs=band)),
        }
    return found


def memory(_: Path) -> dict[str, Any]:
    """Predicted memory of every named network, in bytes."""
    found = {}
    for name in names():
        arch = ss.get(name)
        found[name] = [
            *(ss.training_memory(arch, batch_size=batch).total for batch in (1, 8, 64)),
            *(ss.training_memory(arch, batch_size=16, optimizer=one).total for one in ("rmsprop", "adamw")),
            *(ss.inference_memory(arch, batch_size=batch).total for batch in (1, 32)),
            repr(ss.cost(arch)),
        ]
    return found


def scaled(_: Path) -> list[list[Any]]:
    """Networks scaled by the papers' rule, and matched to twice the cost."""
    found: list[list[Any]] = []
    for name in ("efficientnet_b0", "mobilenet_v2", "resnet18", "triaxis_small"):
        base = ss.get(name)
        found += [[name, phi, scale(base, Coefficients(1.2, 1.1, 1.15), phi=phi).key] for phi in (0.5, 1, 2)]
        for strategy in ("depth", "width", "resolution", "compound", "fast", "v2"):
            found.append([name, strategy, solve(base, get_strategy(strategy), 2 * ss.cost(base).macs).arch.key])
    return found


def audits(_: Path) -> dict[str, list[str]]:
    """The numbers that `search_spaces.table --audit` prints of every named network but the largest."""
    found = {}
    for name in filter(lambda one: not LARGE.search(one), names()):
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            table([name, "--audit"])
        found[name] = NUMBER.findall(text.getvalue())
    return found


def report(folder: Path) -> dict[str, Any]:
    """The numbers in the tables of the report on the reference study."""
    runs = [f"{REFERENCE}/{name}" for name in ("search", "grid", "curves", "double")]
    _run("reports.build", *runs, "--out", str(folder / "report"))
    return {
        path.name: [[NUMBER.findall(cell) for cell in row] for row in _rows(path)[1:]]
        for path in sorted((folder / "report").rglob("*.csv"))
    }


def training(folder: Path) -> list[list[str]]:
    """One training curve."""
    words = ("--arch", "triaxis_small", "--images", "2000", "--epochs", "3", "--cpus-per-worker", "1")
    _run("studies.train", *words, "--run", str(folder / "train"))
    return _columns(folder / "train" / "metrics.csv", EPOCH)


def search(folder: Path) -> dict[str, Any]:
    """The trials of two deterministic searches with 16 candidates each."""
    found = {}
    for name, words in SEARCHES.items():
        run = folder / name
        alone = ("--controls", "none", "--random-controls", "0", "--run", str(run))
        _run("nas.search", *words, "--deterministic", "--trials", "16", "--workers", "2", *alone)
        found[name] = {phase: _columns(run / f"{phase}.csv", TRIAL) for phase in ("trials", "finalists")}
    return found


def benchmark(folder: Path, macro: Path) -> list[list[str]]:
    """Mean regrets of each sampler on NAS-Bench-Macro after 20, 40 and 60 trials, three seeds."""
    words = ("--trials", "60", "--seeds", "3", "--run", str(folder / "benchmark"))
    _run("nas.benchmark", "--table", f"nas-bench-macro:{macro}", *words)
    header, *rows = _rows(folder / "benchmark" / "curves.csv")
    return [row for row in rows if int(row[header.index("trial")]) % 20 == 0]


def differences(old: Any, new: Any, place: str = "") -> Iterator[str]:
    """What differs between two records, a line each."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            if key in old and key in new:
                yield from differences(old[key], new[key], f"{place}/{key}")
            else:
                yield f"{place}/{key}: only in the {'old' if key in old else 'new'} record"
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, pair in enumerate(zip(old, new, strict=True)):
            yield from differences(*pair, f"{place}/{index}")
    elif old != new:
        yield f"{place}: {old} became {new}"


def main(argv: Sequence[str]) -> int:
    """Record what is asked for, and compare it with an earlier record."""
    parts: dict[str, Callable[[Path], Any]] = {
        part.__name__: part for part in (plans, costs, memory, scaled, audits, report, training, search)
    }
    parser = argparse.ArgumentParser(description=str(__doc__), formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="JSON file to write; parts that it has already stay")
    parser.add_argument("--only", nargs="+", choices=[*parts, "benchmark"], help="parts to record")
    parser.add_argument("--macro", type=Path, help="nas-bench-macro_cifar10.json")
    parser.add_argument("--compare", type=Path, help="an earlier record")
    words = parser.parse_args(argv)
    if words.macro:
        parts["benchmark"] = lambda folder: benchmark(folder, words.macro)
    found = json.loads(words.out.read_text()) if words.out.exists() else {}
    for name in words.only or parts:
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            found[name] = parts[name](Path(folder))
        words.out.write_text(json.dumps(found) + "\n")
        print(f"{name}: {time.perf_counter() - start:.1f} s", flush=True)
    if not words.compare:
        return 0
    old = json.loads(words.compare.read_text())
    lines = [line for name in words.only or parts for line in differences(old[name], found[name], name)]
    print("\n".join(lines) or "no differences")
    return int(bool(lines))


def _run(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} failed: {done.stderr}")


def _rows(path: Path) -> list[list[str]]:
    with path.open() as file:
        return list(csv.reader(file))


def _columns(path: Path, wanted: Sequence[str]) -> list[list[str]]:
    header, *rows = _rows(path)
    return [[row[header.index(name)] for name in wanted] for row in rows]


def _digest(values: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(values.astype(np.int64)).tobytes()).hexdigest()[:16]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
