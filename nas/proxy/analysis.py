"""What a proxy study found: how well each proxy ranks the networks, and which one is recommended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nas.proxy.compare import ProxyRow, Scored, compare, self_agreement
from nas.proxy.recommend import Recommendation, recommend
from nas.proxy.run import REFERENCE, ProxyStudy
from nas.proxy.scoring import Records, mean_accuracy, scored, scored_reference
from studies.outcome import Outcome
from studies.statistics.intervals import Estimate


@dataclass(frozen=True)
class ProxyResult:
    """The result of a proxy study.

    rows       everything that was compared
    reference  accuracies of the reference training
    ceiling    agreement of the reference with itself under other seeds; None for one seed
    lost       numbers of trainings without an accuracy (out of memory, errors), by setting
    """

    study: ProxyStudy
    rows: tuple[ProxyRow, ...]
    reference: Scored
    ceiling: Estimate | None
    recommendation: Recommendation
    lost: Mapping[str, int]


def conclude(study: ProxyStudy, records: Records) -> ProxyResult:
    """Compare everything with the reference, and recommend a proxy."""
    reference = scored_reference(study, records)
    rows = compare(scored(study, records), reference.scores, study.config.seed)
    (seeds,) = (setting.seeds for setting in study.settings if setting.name == REFERENCE)
    each = [mean_accuracy(records[REFERENCE], (seed,)) for seed in seeds]
    ceiling = self_agreement(each[0], each[1:], study.config.seed)
    return ProxyResult(study, tuple(rows), reference, ceiling, recommend(rows), _lost(records))


def _lost(records: Records) -> dict[str, int]:
    counted = (Outcome.COMPLETE, Outcome.NAN)
    lost = {name: sum(r.is_final and r.outcome not in counted for r in found) for name, found in records.items()}
    return {name: number for name, number in lost.items() if number}
