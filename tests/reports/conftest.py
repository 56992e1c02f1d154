"""Run folders made by hand, for reports to read: values are chosen, nothing is trained."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

MakeSearch = Callable[..., Path]
MakeTrial = Callable[..., dict[str, Any]]

CONFIG = {
    "target_flops": "1M", "space": "small", "data": {"dataset": "fashion-mnist-mini"}, "trials": 4,
    "finalist": {"number": 2, "seeds": 2, "epochs": 2}, "recipe": "quick",
    "objective": {"name": "soft", "weight": -0.07},
    "proxy": {"width": 0.25, "resolution": 28, "images": 4000, "epochs": 2}, "workers": {"number": None},
}  # fmt: skip
SESSION = {
    "start": "2026-01-02T10:00:00+00:00", "end": "2026-01-02T10:30:00+00:00", "status": "finished",
    "command": "/somewhere/.venv/bin/python -m nas.search --target-flops 1M --space small",
    "versions": {"python": "3.11.7", "torch": "2.10.0"}, "commit": "0123456789abcdef+changes",
    "machine": {"name": "host", "system": "Linux", "processor": "a processor", "cores": 4},
}  # fmt: skip
RESULT = {
    "best": {"key": "aaaa", "reward": 0.6, "objective": "soft", "fvcore_flops": 1, "limits": {},
             "target": {"metric": "macs", "value": 1_000_000},
             "metrics": {"macs": 1_037_000, "params": 60_365, "activations": 1}},
    "proxy": {"dataset": "fashion-mnist-mini", "resolution": 28, "width": 0.25, "epochs": 2, "seeds": [1000, 1001],
              "validation_accuracy": {"value": 0.63, "low": 0.53, "high": 0.73, "n": 2},
              "test_accuracy": {"value": 0.625, "low": 0.565, "high": 0.685, "n": 2}},
    "finalists": [{"key": "aaaa", "reward": 0.6, "metrics": {"macs": 1_037_000}, "accuracies": [0.62, 0.63]},
                  {"key": "bbbb", "reward": 0.5, "metrics": {"macs": 900_000}, "accuracies": [0.6, 0.61]}],
    "indistinguishable_from_best": ["bbbb"], "gain_per_doubling": None, "band_edge": None,
    "candidates": {"trained": 4, "outcomes": {"complete": 3, "pruned": 1}},
}  # fmt: skip


def trial(number: int, outcome: str = "complete", **changes: Any) -> dict[str, Any]:
    """A row of trials.csv."""
    return {
        "number": number, "phase": "candidate", "outcome": outcome, "reason": "", "value": 0.5,
        "accuracy": 0.5 + number / 100, "loss": 1.0, "images": 8000, "test_accuracy": None, "step": 2,
        "macs": 900_000 + 10_000 * number, "params": 50_000, "activations": 10_000, "key": f"{number:016x}",
        "seed": 7 + number, "proposal_index": number, "proposed_by": "random", "replicate": False,
        "never_pruned": False, "repeat_of": None, "retry_of": None, "seconds": 36.0, "worker": "host:1",
        "accuracy_1": 0.4, "accuracy_2": 0.5 + number / 100, **changes,
    }  # fmt: skip


@pytest.fixture
def make_trial() -> MakeTrial:
    """The function that makes a row of trials.csv."""
    return trial


@pytest.fixture
def make_search(tmp_path: Path) -> MakeSearch:
    """A function that writes a run folder of nas.search and returns it."""

    def make(
        name: str = "search",
        *,
        rows: Sequence[Mapping[str, Any]] | None = None,
        finalists: Sequence[Mapping[str, Any]] = (),
        result: Mapping[str, Any] | None = RESULT,
        status: str = "finished",
        **config: Any,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text(yaml.safe_dump({**CONFIG, **config}))
        manifest = {
            "status": status,
            "seed": 0,
            "start": SESSION["start"],
            "end": SESSION["end"],
            "sessions": [SESSION],
        }
        (folder / "manifest.json").write_text(json.dumps(manifest))
        candidates = [trial(0), trial(1), trial(2, "pruned"), trial(3)] if rows is None else rows
        pd.DataFrame(candidates).to_csv(folder / "trials.csv", index=False)
        if finalists:
            pd.DataFrame(finalists).to_csv(folder / "finalists.csv", index=False)
        if result is not None:
            (folder / "result.json").write_text(json.dumps(result))
        return folder

    return make
