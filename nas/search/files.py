"""The files that a search leaves in its run folder: the best network, its proxy's weights, result.json."""

from __future__ import annotations

import json
import shutil
from typing import Any

from nas.search.analysis import Finalist, SearchResult
from studies.timing.step_time import KEYS

BEST, PROXY_WEIGHTS, RESULT = "best.json", "best-proxy.safetensors", "result.json"


def write_files(result: SearchResult) -> None:
    """Write best.json, the weights of the winner's proxy under its first seed, and result.json."""
    run, winner = result.session.run, result.verdict.winner
    run.write(BEST, winner.arch.to_json())
    weights = result.session.finalist_training.weights(winner.record.key, winner.seeds[0])
    shutil.copyfile(weights, run.path(PROXY_WEIGHTS))
    shutil.copyfile(weights.with_suffix(".json"), run.path(PROXY_WEIGHTS).with_suffix(".json"))
    run.write(RESULT, json.dumps(summary(result), indent=2) + "\n")


def summary(result: SearchResult) -> dict[str, Any]:
    """The content of result.json: plain values in raw units; infinite ends of intervals are null."""
    winner, config = result.verdict.winner, result.session.config
    return {
        "best": {
            "key": winner.arch.key,
            "reward": winner.reward,
            "objective": str(config.objective_function),
            "target": {"metric": config.target_metric.name, "value": config.target_value},
            "limits": result.session.region.limits,
            "metrics": dict(winner.record.metrics),
            "fvcore_flops": result.fvcore,
            **{name: winner.record.rungs[-1][name] for name in KEYS if name in winner.record.rungs[-1]},
        },
        "proxy": {
            "dataset": config.data.dataset,
            "resolution": config.proxy.resolution,
            "width": config.proxy.width,
            "epochs": config.finalist.epochs,
            "seeds": list(winner.seeds),
            "validation_accuracy": winner.accuracy.to_dict(),
            "test_accuracy": result.test.to_dict(),
        },
        "finalists": [_finalist(one) for one in result.verdict.ranked],
        "indistinguishable_from_best": None if result.verdict.equals is None else list(result.verdict.equals),
        "gain_per_doubling": result.gain and result.gain.to_dict(),
        "band_edge": result.edge or None,
        "candidates": {"trained": result.trained, "outcomes": {str(o): n for o, n in result.outcomes.items()}},
    }


def _finalist(one: Finalist) -> dict[str, Any]:
    metrics, accuracies = dict(one.record.metrics), list(one.accuracies)
    return {"key": one.record.key, "reward": one.reward, "metrics": metrics, "accuracies": accuracies}
