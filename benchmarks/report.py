"""How long a report of a large search takes to build, and how large the page gets.

The search is made up: its trials have networks of the space `small`, drawn uniformly, and random accuracies; from the
1001st on they are copies under other keys. They lie in a ledger and in trials.csv as a real search leaves them.

Usage: python benchmarks/report.py [--trials 10000]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # numpy reads it when it is imported

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

import search_spaces as ss
from nas.search.config import SearchConfig
from search_spaces.common.cli import to_yaml
from search_spaces.metrics.compute import compute_all
from studies.ledger.frame import write_csv
from studies.ledger.ledger import Ledger

MOST_SECONDS, MOST_BYTES = 30.0, 10_000_000
WORKERS = 8
DRAWN = 1000
TABLES = {
    "trial_params": "param_name, param_value, distribution_json",
    "trial_user_attributes": "key, value_json",
    "trial_values": "objective, value, value_type",
    "trial_intermediate_values": "step, intermediate_value, intermediate_value_type",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--keep", help="folder to make the run in, and to leave it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        run = Path(arguments.keep or temporary) / "search"
        if not run.exists():
            make(run, arguments.trials)
        print("| trials | ledger | trials.csv | seconds | page | report folder | peak memory |")
        print("|---|---|---|---|---|---|---|")
        print(measure(run, arguments.trials))


def make(run: Path, trials: int) -> None:
    """A finished search with that many trials in its folder."""
    run.mkdir(parents=True)
    config = SearchConfig(target_flops="1M", space="small", resolution=16, width=0.5, trials=trials, run=str(run))
    (run / "config.yaml").write_text(to_yaml(config))
    session = {"start": "2026-01-01T00:00:00+00:00", "end": "2026-01-02T00:00:00+00:00", "status": "finished"}
    session["command"] = "python -m nas.search"
    manifest = {"format": "triaxis-run-1", "status": "finished", "seed": 0, "sessions": [session]}
    (run / "manifest.json").write_text(json.dumps(manifest))
    url = f"sqlite:///{run / 'ledger.db'}"
    _fill(url, trials)
    with Ledger.open(url, "search", {}, read_only=True) as ledger:
        write_csv(ledger, run / "trials.csv")


def _fill(url: str, trials: int) -> None:
    """Write the trials: DRAWN of them through Optuna, copied in SQL under numbers and keys of their own."""
    space, rng = ss.space("small", resolution=16, width=0.5), np.random.default_rng(0)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    distributions = {name: CategoricalDistribution(tuple(values)) for name, values in space.choices.items()}
    drawn = min(DRAWN, trials)
    with Ledger.open(url, "search", {}) as ledger:
        for number, encoding in enumerate(space.sample(rng, drawn)):
            ledger.study.add_trial(_trial(number, space.choice(encoding), space, rng, distributions))
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database, database:
        for copy in range(1, math.ceil(trials / drawn)):
            _copy(database, drawn, copy * drawn, trials)
        database.execute(
            "UPDATE trial_user_attributes SET value_json = printf('\"%016x\"', trial_id) WHERE key = 'key'"
        )


def _copy(database: sqlite3.Connection, drawn: int, shift: int, trials: int) -> None:
    """Copy the first trials to numbers `shift` and on."""
    database.execute(
        "INSERT INTO trials SELECT trial_id + :shift, number + :shift, study_id, state, datetime_start, "
        "datetime_complete FROM trials WHERE number < :drawn AND number + :shift < :trials",
        {"shift": shift, "proposed_by": drawn, "trials": trials},
    )
    for table, columns in TABLES.items():
        database.execute(
            f"INSERT INTO {table} (trial_id, {columns}) SELECT old.trial_id + ?, {columns} FROM {table} AS old "
            "JOIN trials AS t ON t.trial_id = old.trial_id WHERE t.number < ? AND t.number + ? < ?",
            (shift, drawn, shift, trials),
        )


def _trial(number: int, choice: Any, space: Any, rng: np.random.Generator, distributions: Any) -> FrozenTrial:
    arch = space.decode(choice)
    seconds = float(rng.uniform(20, 60))
    accuracies = np.sort(rng.uniform(0.3, 0.7, 3))[: 3 if number % 3 else 1]
    outcome = "error" if number % 50 == 7 else "complete" if number % 3 else "pruned"
    rungs = [
        {"step": step, "accuracy": round(float(value), 4), "loss": 1.0, "images": 4000 * step}
        for step, value in enumerate(accuracies, 1)
    ]
    attributes = {
        "phase": "candidate", "key": arch.key, "arch": arch.to_json(), "metrics": compute_all(arch),
        "proposal_index": number, "seed": number, "proposed_by": "tpe",
        "never_pruned": number % 10 == 0,
        "outcome": outcome, "reason": "", "rungs": rungs, "seconds": seconds, "worker": f"host:{number % WORKERS}",
    }  # fmt: skip
    states = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "error": TrialState.FAIL}
    trial = create_trial(
        state=states[outcome], value=float(accuracies[-1]) if outcome == "complete" else None, params=dict(choice),
        distributions=distributions, user_attrs=attributes,
        intermediate_values={rung["step"]: rung["accuracy"] for rung in rungs},
    )  # fmt: skip
    begun = datetime(2026, 1, 1) + timedelta(seconds=60 * (number // WORKERS))
    trial.datetime_start, trial.datetime_complete = begun, begun + timedelta(seconds=seconds)
    return trial


def measure(run: Path, trials: int) -> str:
    """Build the report; a line of a table. Says on stderr where it is too slow or too large."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "reports.build", str(run)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[1])
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    page = (run / "report" / "report.html").stat().st_size
    everything = sum(file.stat().st_size for file in (run / "report").rglob("*") if file.is_file())
    sizes = [(run / name).stat().st_size for name in ("ledger.db", "trials.csv")]
    if seconds > MOST_SECONDS or page > MOST_BYTES:
        print(f"too slow or too large: {seconds:.1f} s, {page / 1e6:.1f} MB", file=sys.stderr)
    megabytes = [f"{size / 1e6:.1f} MB" for size in (*sizes, page, everything)]
    cells = [f"{trials:,}", *megabytes[:2], f"{seconds:.1f}", *megabytes[2:], f"{peak:.2f} GiB"]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
