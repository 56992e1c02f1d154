"""How well cheap proxies rank networks: Kendall tau against a longer training, beside the tau of MACs and of params.

Trains the same networks, drawn uniformly inside the search's cost band, under a reference and under each proxy. Every
finished training is a line of FOLDER/trainings.csv, so the study goes on where it was ended:

    python benchmarks/proxy_fidelity.py --folder runs/proxy-fidelity --networks 48 --processes 2
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

import search_spaces as ss
from search_spaces.arch import Arch
from studies.recipe import Proxy
from studies.recipes import RECIPES
from studies.statistics import kendall

TARGET, BAND, DATASET = 400_000_000, (0.8, 1.05), "fashion-mnist-mini"


class Setting(NamedTuple):
    """A way to train a candidate: what the proxy shrinks, the training's seed, the weights' average."""

    proxy: Proxy
    seed: int = 2
    ema_decay: float = 0.0


# The reference sees all 8 000 training images three times and has another seed: another start, another order of images.
REFERENCE = "reference"
SETTINGS = {
    REFERENCE: Setting(Proxy(width=0.25, resolution=28, images=0, epochs=3), seed=1),
    "x0.25, 2 epochs, EMA": Setting(Proxy(width=0.25, resolution=28, images=4000, epochs=2), ema_decay=0.98),
    "x0.25, 1 epoch": Setting(Proxy(width=0.25, resolution=28, images=4000, epochs=1)),
    "x0.25, 2 epochs": Setting(Proxy(width=0.25, resolution=28, images=4000, epochs=2)),
    "x0.125, 2 epochs": Setting(Proxy(width=0.125, resolution=28, images=4000, epochs=2)),
}


def networks(number: int) -> list[Arch]:
    """The first `number` networks of one uniform draw from the cost band."""
    space = ss.space("mnasnet", classes=10)
    band = (int(TARGET * BAND[0]), int(TARGET * BAND[1]))
    encodings = space.sample(np.random.default_rng(0), number, macs=band, of="networks")
    return [space.decode(space.choice(encoding)) for encoding in encodings]


def training(task: tuple[int, Arch, str]) -> list[dict[str, object]]:
    """Train one network under one setting: a row an epoch."""
    import torch

    from studies.data import load
    from studies.loop import train

    index, arch, name = task
    torch.set_num_threads(1)
    proxy, seed, ema_decay = SETTINGS[name]
    recipe = RECIPES["quick"].replace(epochs=proxy.epochs, ema_decay=ema_decay)
    began = time.process_time()
    rows = []
    cost = ss.cost(arch)
    for e in train(proxy.arch(arch, classes=10), load(DATASET), recipe, seed=seed, images=proxy.images):
        seconds = time.process_time() - began
        rows.append(
            {"network": index, "key": arch.key, "setting": name, "step": e.step, "accuracy": e.accuracy, "loss": e.loss}
            | {"seconds": round(seconds, 2), "macs": cost.macs, "params": cost.params}
        )
    return rows


def tasks(number: int, names: list[str], done: set[tuple[int, str]]) -> Iterator[tuple[int, Arch, str]]:
    """What is still to be trained, setting by setting, the reference first."""
    archs = networks(number)
    for name in names:
        yield from ((index, arch, name) for index, arch in enumerate(archs) if (index, name) not in done)


def main() -> None:
    """Train what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("runs/proxy-fidelity"))
    parser.add_argument("--networks", type=int, default=48)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--settings", nargs="*", default=list(SETTINGS), choices=list(SETTINGS))
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    path = arguments.folder / "trainings.csv"
    done = {(int(row["network"]), row["setting"]) for row in read(path)}
    with ProcessPoolExecutor(arguments.processes) as pool:
        for rows in pool.map(training, tasks(arguments.networks, arguments.settings, done)):
            append(path, rows)
    print(table(read(path)))


def table(rows: list[dict[str, str]]) -> str:
    """Kendall tau-b of each proxy, and of cost alone, with the reference's accuracy, over networks that have both."""
    curves: dict[str, dict[int, list[dict[str, str]]]] = {}
    for row in rows:
        curves.setdefault(row["setting"], {}).setdefault(int(row["network"]), []).append(row)
    reference = {network: float(curve[-1]["accuracy"]) for network, curve in curves[REFERENCE].items()}
    first = {network: curve[0] for network, curve in curves[REFERENCE].items()}
    lines = [f"{'ranked by':<28} {'networks':>8} {'Kendall tau (95 %)':>22} {'CPU s a network':>16}"]
    for name in ("macs", "params"):
        lines.append(_line(f"{name} alone", {n: float(row[name]) for n, row in first.items()}, reference, 0.0))
    for setting, networks_of in curves.items():
        for step in range(len(next(iter(networks_of.values())))):
            scores = {network: float(curve[step]["accuracy"]) for network, curve in networks_of.items()}
            seconds = sum(float(curve[step]["seconds"]) for curve in networks_of.values()) / len(networks_of)
            lines.append(_line(f"{setting}: epoch {step + 1}", scores, reference, seconds))
    low, middle, high = np.quantile(list(reference.values()), [0, 0.5, 1])
    return "\n".join([*lines, f"reference accuracy: {low:.3f} to {high:.3f}, median {middle:.3f}"])


def _line(name: str, scores: dict[int, float], reference: dict[int, float], seconds: float) -> str:
    both = sorted(scores.keys() & reference.keys())
    tau = kendall([scores[n] for n in both], [reference[n] for n in both], np.random.default_rng(0))
    interval = f"{tau.value:.2f} [{tau.low:.2f}, {tau.high:.2f}]"
    return f"{name:<28} {len(both):>8} {interval:>22} {seconds:>16.1f}"


def read(path: Path) -> list[dict[str, str]]:
    """The rows trained so far."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def append(path: Path, rows: list[dict[str, object]]) -> None:
    """Add one training's rows."""
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        if fresh:
            writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
