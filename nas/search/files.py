"""The files that a search leaves in its run folder: the best network, its proxy's weights, result.json."""

from __future__ import annotations

import json
import shutil
from typing import Any

from nas.search.analysis import SearchResult
from nas.search.gains import TrainedControl
from nas.search.ranking import Finalist
from studies.timing.step_time import KEYS

BEST, PROXY_WEIGHTS, RESULT = "best.json", "best-proxy.safetensors", "result.json"


def write_files(result: SearchResult) -> None:
    """Write best.json, the weights of its proxy under its first seed, and result.json."""
    run, best = result.session.run, result.best
    run.write(BEST, best.arch.to_json())
    weights = result.session.finalist_training.weights(best.record.key, best.seeds[0])
    shutil.copyfile(weights, run.path(PROXY_WEIGHTS))
    shutil.copyfile(weights.with_suffix(".json"), run.path(PROXY_WEIGHTS).with_suffix(".json"))
    run.write(RESULT, json.dumps(summary(result), indent=2) + "\n")


def summary(result: SearchResult) -> dict[str, Any]:
    """The content of result.json: the verdict, then plain values in raw units; infinite ends of intervals are null."""
    best, config = result.best, result.session.config
    return {
        "verdict": result.controls.conclusions.to_dict(),
        "best": {
            "key": best.arch.key,
            "reward": best.reward,
            "objective": str(config.objective_function),
            "target": {"metric": config.target_metric.name, "value": config.target_value},
            "limits": result.session.region.limits,
            "metrics": dict(best.record.metrics),
            "fvcore_flops": result.fvcore,
            **{name: best.record.rungs[-1][name] for name in KEYS if name in best.record.rungs[-1]},
        },
        "proxy": {
            "dataset": config.data.dataset,
            "resolution": config.proxy.resolution,
            "width": config.proxy.width,
            "epochs": config.finalist.epochs,
            "seeds": list(best.seeds),
            "validation_accuracy": best.accuracy.to_dict(),
            "test_accuracy": result.test.to_dict(),
        },
        "finalists": [_finalist(one) for one in result.verdict.ranked],
        "controls": [_control(one) for one in result.controls.trained],
        "left_out_controls": dict(result.session.controls.left_out),
        "indistinguishable_from_best": None if result.verdict.equals is None else list(result.verdict.equals),
        "gain_per_doubling": result.gain and result.gain.to_dict(),
        "band_edge": result.edge or None,
        "candidates": {"trained": result.trained, "outcomes": {str(o): n for o, n in result.outcomes.items()}},
    }


def _finalist(one: Finalist) -> dict[str, Any]:
    metrics, accuracies = dict(one.record.metrics), list(one.accuracies)
    return {"key": one.record.key, "reward": one.reward, "metrics": metrics, "accuracies": accuracies}


def _control(one: TrainedControl) -> dict[str, Any]:
    control, result = one.control, one.result
    return {
        "name": control.title,
        "key": control.arch.key,
        "random": control.is_random,
        "width": control.width,
        "layers": control.layers,
        "cost_over_target": control.ratio,
        "reward": result and result.reward,
        "accuracies": list(result.accuracies) if result else [],
        "metrics": dict(result.record.metrics) if result else {},
        "problem": one.problem or None,
    }
