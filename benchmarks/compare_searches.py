"""The default search against random search at equal trials: python benchmarks/compare_searches.py [--seeds 5].

Each search is `nas.search --target-flops 400M` on the bundled images with 64 candidates; its one finalist, the network
that the sampler recommends, is trained again with three other seeds on all images, and these results are compared.
Searches of one seed are a pair. Early stopping ends more of one search than of the other, so the best rewards are also
compared where both have trained on as many images as the whole of the shorter one. Each search has its own folder under
--run, and the same command resumes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

from studies.statistics.intervals import mean_interval, paired_difference

SAMPLERS = ("predictor", "random")
TRIALS = 64
COMPARED_AT = (16, 32, 64)
SEARCH = (
    f"--target-flops 400M --trials {TRIALS} --proxy.images 2000 --finalists 1 --finalist.seeds 3 --finalist.epochs 3 "
    "--controls none --random-controls 0"
).split()


def main() -> None:
    """Make the searches that are missing and print how they compare."""
    arguments = _arguments()
    pairs = [(sampler, seed) for seed in range(arguments.seeds) for sampler in SAMPLERS]
    folders = {pair: Path(arguments.run) / f"{pair[0]}-{pair[1]}" for pair in pairs}
    for (sampler, seed), folder in folders.items():
        if not (folder / "result.json").exists():
            words = ["--sampler", sampler, "--seed", str(seed), "--run", str(folder), *SEARCH]
            if arguments.workers:
                words += ["--workers", str(arguments.workers)]
            subprocess.run([sys.executable, "-m", "nas.search", *words], check=True)
    trials = {pair: pd.read_csv(folder / "trials.csv") for pair, folder in folders.items()}
    equal = [min(trials[sampler, seed]["images"].sum() for sampler in SAMPLERS) for seed in range(arguments.seeds)]
    rows = [
        {"sampler": sampler, "seed": seed, **_figures(folders[sampler, seed], trials[sampler, seed], equal[seed])}
        for sampler, seed in pairs
    ]
    table = pd.DataFrame(rows).set_index(["seed", "sampler"])
    with pd.option_context("display.width", 120):
        print(table.unstack().T.to_string(float_format=lambda value: f"{value:.4f}"), "\n")
    for figure in table.columns:
        first, second = (table[figure].xs(sampler, level="sampler") for sampler in SAMPLERS)
        means = ", ".join(f"{name} {mean_interval(part)}" for name, part in zip(SAMPLERS, (first, second), strict=True))
        print(f"{figure:18} {means}; difference {paired_difference(first, second)}")


def _figures(folder: Path, trials: pd.DataFrame, equal: int) -> dict[str, float]:
    """Of the network chosen: reward and test accuracy over fresh seeds. Of the search: its best reward so far, work."""
    result = json.loads((folder / "result.json").read_text())
    best = trials["value"].where(trials["outcome"] == "complete").cummax().ffill()
    return {
        "reward": result["best"]["reward"],
        "test accuracy": result["proxy"]["test_accuracy"]["value"],
        **{f"best seen @{trials_so_far}": float(best.iloc[trials_so_far - 1]) for trials_so_far in COMPARED_AT},
        "best, equal images": float(best[trials["images"].cumsum() <= equal].iloc[-1]),
        "thousand images": trials["images"].sum() / 1e3,
        "M multiply-adds": result["best"]["metrics"]["macs"] / 1e6,
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, help="trainings at once; default: the number of cores")
    parser.add_argument("--run", default="runs/compare", help="folder of the searches' run folders")
    return parser.parse_args()


if __name__ == "__main__":
    main()
