"""What a search found: files in the run folder that other tools, and people, can use."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nas.search.finalists import Verdict, at_edge, gain_of_doubling
from nas.search.run import SearchRun
from search_spaces.metrics.audit import audit
from search_spaces.metrics.counts import cost
from studies.ledger.trial import Record
from studies.outcome import Outcome
from studies.statistics.intervals import Estimate, mean_interval
from studies.timing.step_time import KEYS

BEST, PROXY_WEIGHTS, RESULT = "best.json", "best-proxy.safetensors", "result.json"


@dataclass(frozen=True)
class SearchResult:
    """The outcome of a search.

    verdict   winner and finalists, accuracies on validation images
    test      the winner's accuracy on the test images, mean over its seeds, touched once
    gain      relative gain in accuracy per doubling of multiply-adds among the candidates; None where unknown
    edge      "upper" or "lower" where the winner lies at that end of the cost band
    outcomes  of the candidates
    fvcore    flops that fvcore counts for the winner (batch norm and pooling included), beside our multiply-adds
    """

    session: SearchRun
    verdict: Verdict
    test: Estimate
    gain: Estimate | None
    edge: str
    outcomes: Counter[Outcome]
    trained: int
    fvcore: int

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, raw units; infinite ends of intervals are null."""
        winner, config = self.verdict.winner, self.session.config
        spent = cost(winner.arch)
        return {
            "best": {
                "key": winner.arch.key,
                "reward": winner.reward,
                "objective": str(config.objective_function),
                "target_macs": config.target,
                "macs": spent.macs,
                "params": spent.params,
                "activations": spent.activations,
                "fvcore_flops": self.fvcore,
                **{name: winner.record.rungs[-1][name] for name in KEYS if name in winner.record.rungs[-1]},
            },
            "proxy": {
                "dataset": config.dataset,
                "resolution": config.proxy.resolution,
                "width": config.proxy.width,
                "epochs": config.finalist_epochs,
                "seeds": list(winner.seeds),
                "validation_accuracy": winner.accuracy.to_dict(),
                "test_accuracy": self.test.to_dict(),
            },
            "finalists": [
                {"key": f.record.key, "reward": f.reward, "macs": f.record.macs, "accuracies": list(f.accuracies)}
                for f in self.verdict.ranked
            ],
            "indistinguishable_from_best": None if self.verdict.equals is None else list(self.verdict.equals),
            "gain_per_doubling": self.gain and self.gain.to_dict(),
            "band_edge": self.edge or None,
            "candidates": {"trained": self.trained, "outcomes": {str(o): n for o, n in self.outcomes.items()}},
        }


def conclude(session: SearchRun, records: Sequence[Record], verdict: Verdict) -> SearchResult:
    """Score the winner on the test images, audit its cost, and write best.json, its proxy's weights, result.json."""
    winner = verdict.winner
    session.run.write(BEST, winner.arch.to_json())
    weights = session.finalist_training.weights(winner.record.key, winner.seeds[0])
    if not weights.exists():
        raise ValueError(
            f"{weights} is missing: drivers that share a study need one --storage-path that all of them see"
        )
    shutil.copyfile(weights, session.run.path(PROXY_WEIGHTS))
    shutil.copyfile(weights.with_suffix(".json"), session.run.path(PROXY_WEIGHTS).with_suffix(".json"))
    final = [record for record in records if record.is_final]
    result = SearchResult(
        session=session,
        verdict=verdict,
        test=mean_interval(_test_accuracies(session, verdict)),
        gain=gain_of_doubling(final),
        edge=at_edge(winner.record.macs, session.region.band),
        outcomes=Counter(record.outcome for record in final if record.outcome is not None),
        trained=len({record.key for record in final if record.rungs}),
        fvcore=audit(winner.arch).fvcore,
    )
    session.run.write(RESULT, json.dumps(result.as_dict(), indent=2) + "\n")
    return result


def _test_accuracies(session: SearchRun, verdict: Verdict) -> list[float]:
    """The accuracies of the winner's trained proxies on the test images."""
    from studies.trainer.checkpoint import load_weights
    from studies.trainer.scoring import score_on_test

    winner, accuracies = verdict.winner, []
    for seed in winner.seeds:
        arch, network = load_weights(session.finalist_training.weights(winner.record.key, seed))
        accuracies.append(score_on_test(network, session.data, resolution=arch.resolution).top1)
    return accuracies
