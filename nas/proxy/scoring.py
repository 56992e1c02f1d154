"""The scores of a proxy study's networks by costs, by zero-cost proxies and by trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from nas.proxy.compare import Scored
from nas.proxy.config import ProxyConfig
from nas.proxy.run import REFERENCE, ZERO_COST, ProxyStudy, Setting
from search_spaces.metrics.compute import compute
from search_spaces.metrics.counts import cost
from search_spaces.metrics.registry import METRICS
from search_spaces.networks.arch import Arch
from studies.ledger.trial import Record
from studies.outcome import Outcome
from studies.trainer.registry import get_recipe

Records = Mapping[str, Sequence[Record]]
"""The trials of each setting, by its name."""


def scored(study: ProxyStudy, records: Records) -> list[Scored]:
    """Everything that is compared: costs, zero-cost proxies, trained proxies by their work."""
    trained = [scored_training(setting, records[setting.name], study.archs) for setting in study.proxies]
    return [
        *scored_costs(study.archs, study.config),
        *scored_zero_cost(records[ZERO_COST], study.config.zero_cost),
        *trained,
    ]


def scored_reference(study: ProxyStudy, records: Records) -> Scored:
    """The scores by the reference."""
    (setting,) = (one for one in study.settings if one.name == REFERENCE)
    return scored_training(setting, records[REFERENCE], study.archs, "reference")


def scored_costs(archs: Sequence[Arch], config: ProxyConfig) -> list[Scored]:
    """The scores by costs of the full networks alone: multiply-adds, parameters, the metrics of target and limits."""
    costs = {arch.key: cost(arch) for arch in archs}
    macs = {key: float(spent.macs) for key, spent in costs.items()}
    params = {key: float(spent.params) for key, spent in costs.items()}
    conditions = get_recipe(config.recipe).conditions
    others = [
        Scored(METRICS.row(name).label, "cost", {arch.key: float(compute(name, arch, conditions)) for arch in archs})
        for name in config.region_metrics
        if name not in ("macs", "params")
    ]
    return [Scored("MACs", "cost", macs), Scored("params", "cost", params), *others]


def scored_zero_cost(records: Sequence[Record], names: Sequence[str]) -> list[Scored]:
    """The scores by each of these zero-cost proxies."""
    rungs = {record.key: record.rungs[-1] for record in records if record.rungs}
    return [
        Scored(
            name,
            "zero-cost",
            {key: float(rung[name]) for key, rung in rungs.items() if rung[name] is not None},
            seconds=median(rung[f"{name}_seconds"] for rung in rungs.values()) if rungs else None,
        )
        for name in names
    ]


def scored_training(setting: Setting, records: Sequence[Record], archs: Sequence[Arch], kind: str = "proxy") -> Scored:
    """The scores by a training: the accuracy at its end, mean over the seeds, and after its first epoch."""
    first = {record.key: 0.0 for record in records if record.outcome is Outcome.NAN}
    first |= {record.key: record.rungs[0]["accuracy"] for record in records if record.rungs}
    seconds = [record.rungs[-1]["seconds"] for record in records if record.outcome is Outcome.COMPLETE]
    return Scored(
        setting.name,
        kind,
        mean_accuracy(records, setting.seeds),
        seconds=median(seconds) if seconds else None,
        early=first if setting.proxy.epochs > 1 else {},
        proxy=setting.proxy,
        different=len({setting.proxy.arch(arch).key for arch in archs}),
    )


def mean_accuracy(records: Sequence[Record], seeds: Sequence[int]) -> dict[str, float]:
    """Mean validation accuracy over the seeds of each network that was trained with all of them.

    A training whose loss became infinite or NaN has accuracy 0, because a search ranks that network last.
    """
    found: dict[str, dict[int, float]] = {}
    for record in records:
        if record.outcome is Outcome.COMPLETE and record.accuracy is not None:
            found.setdefault(record.key, {})[record.seed] = record.accuracy
        elif record.outcome is Outcome.NAN:
            found.setdefault(record.key, {})[record.seed] = 0.0
    return {key: sum(of[s] for s in seeds) / len(seeds) for key, of in found.items() if set(seeds) <= set(of)}
