"""What a search found: the verdict over finalists and controls, the gain per doubling of cost, the test accuracy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from nas.search.gains import ControlResults
from nas.search.ranking import Finalist, Verdict
from nas.search.run import SearchRun
from search_spaces.metrics.audit import audit
from studies.ledger.trial import Record
from studies.outcome import Outcome
from studies.statistics.intervals import Estimate, gain_per_doubling, mean_interval

# A winner nearer to an end of the band than this share of the band's width is limited by the band.
EDGE_SHARE = 0.03


@dataclass(frozen=True)
class SearchResult:
    """The result of a search.

    verdict   winner and finalists, with accuracies on validation images; of known controls if nothing was searched
    controls  the controls and what the winner gained over them
    test      accuracy of the best network on the test images, mean over its seeds; nothing else is scored on them
    gain      relative gain in accuracy per doubling of multiply-adds among the candidates; None if unknown
    edge      "upper" or "lower" if the best network lies at that end of the cost band
    outcomes  numbers of candidates by outcome
    trained   number of different networks that were trained
    fvcore    FLOPs that fvcore counts for the best network, batch norm and pooling included
    """

    session: SearchRun
    verdict: Verdict
    controls: ControlResults
    test: Estimate
    gain: Estimate | None
    edge: str
    outcomes: Counter[Outcome]
    trained: int
    fvcore: int

    @property
    def best(self) -> Finalist:
        """The network of best.json: the winner, or the control that was adopted in its place."""
        adopted = self.controls.adopted
        return self.verdict.winner if adopted is None else adopted


def conclude(session: SearchRun, records: Sequence[Record], verdict: Verdict, controls: ControlResults) -> SearchResult:
    """The result of a search: the best network is scored on the test images and its cost is audited.

    Raises ValueError if its weights are missing.
    """
    best = controls.adopted or verdict.winner
    final = [record for record in records if record.is_final]
    metric = session.region.metric.name
    return SearchResult(
        session=session,
        verdict=verdict,
        controls=controls,
        test=mean_interval(_test_accuracies(session, best)),
        gain=gain_of_doubling(final, metric),
        edge="" if session.config.controls.only else at_edge(best.record.metrics[metric], session.region.band),
        outcomes=Counter(record.outcome for record in final if record.outcome is not None),
        trained=len({record.key for record in final if record.rungs}),
        fvcore=audit(best.arch).fvcore,
    )


def _test_accuracies(session: SearchRun, best: Finalist) -> list[float]:
    """The accuracies of a network's trained proxies on the test images."""
    from studies.trainer.checkpoint import load_weights
    from studies.trainer.scoring import score_on_test

    accuracies = []
    for seed in best.seeds:
        weights = session.finalist_training.weights(best.record.key, seed)
        if not weights.exists():
            raise ValueError(
                f"{weights} is missing: drivers that share a study need one --storage-path that all of them see"
            )
        arch, network = load_weights(weights)
        accuracies.append(score_on_test(network, session.data, resolution=arch.resolution).top1)
    return accuracies


def gain_of_doubling(records: Sequence[Record], metric: str) -> Estimate | None:
    """Relative gain in accuracy per doubling of a metric among the candidates, at their first rung.

    Every candidate has a first rung, so early stopping causes no bias. None if there are too few costs or trials.
    """
    firsts = [(r.metrics[metric], r.rungs[0]["accuracy"]) for r in records if r.rungs and r.repeat_of is None]
    usable = [(cost, accuracy) for cost, accuracy in firsts if accuracy > 0 and cost > 0]
    if len(usable) < 3 or len({cost for cost, _ in usable}) < 2:
        return None
    costs, accuracies = zip(*usable, strict=True)
    return gain_per_doubling(costs, accuracies)


def at_edge(cost: float, band: tuple[int, int]) -> str:
    """The end of the band that a network lies at: "upper", "lower" or, for neither, an empty text."""
    margin = EDGE_SHARE * (band[1] - band[0])
    if cost > band[1] - margin:
        return "upper"
    return "lower" if cost < band[0] + margin else ""
