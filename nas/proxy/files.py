"""The files of a proxy study: two tables, result.json and, if a proxy is recommended, proxy.yaml."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import yaml

from nas.proxy.analysis import ProxyResult
from nas.proxy.compare import ProxyRow
from nas.proxy.config import ProxyConfig
from nas.proxy.recommend import is_as_good, is_trusted
from search_spaces.metrics.compute import compute
from studies.statistics.intervals import Estimate
from studies.trainer.recipe import Proxy
from studies.trainer.registry import get_recipe

ROWS, NETWORKS, SUMMARY, CHOSEN = "proxies.csv", "networks.csv", "result.json", "proxy.yaml"
FORMAT = "triaxis-proxies-1"


def write_files(result: ProxyResult) -> None:
    """Write proxies.csv, networks.csv with all scores, result.json and proxy.yaml; an old proxy.yaml is removed."""
    run = result.study.run
    run.write(ROWS, _csv([row_dict(row) for row in result.rows]))
    run.write(NETWORKS, _csv(_networks(result)))
    run.write(SUMMARY, json.dumps(_summary(result), indent=2) + "\n")
    chosen = result.recommendation.chosen
    if chosen is not None and chosen.scored.proxy is not None:
        run.write(CHOSEN, search_yaml(result.study.config, chosen.scored.proxy))
    else:
        run.path(CHOSEN).unlink(missing_ok=True)


def search_yaml(config: ProxyConfig, proxy: Proxy) -> str:
    """The settings of `nas.search` with the proxy, as YAML."""
    return yaml.safe_dump(config.for_search(proxy), sort_keys=False)


def row_dict(row: ProxyRow) -> dict[str, Any]:
    """A row as plain values in raw units; unknown values are None."""
    one = row.scored
    return {
        "name": one.name,
        "kind": one.kind,
        "networks": row.networks,
        "different_networks": one.different,
        **_estimate("tau", row.tau),
        **_estimate("tau_first_epoch", row.early),
        "seconds": one.seconds,
        "tau_per_second": row.per_second,
        **_estimate("over_macs", row.gain.get("MACs")),
        **_estimate("over_params", row.gain.get("params")),
        **_estimate("behind_best", row.behind),
        "trusted": is_trusted(row) if one.kind == "proxy" else None,
        "as_good_as_best": is_as_good(row) if one.kind == "proxy" else None,
        **{name: getattr(one.proxy, name, None) for name in ("width", "resolution", "images", "epochs")},
    }


def _estimate(name: str, found: Estimate | None) -> dict[str, float | None]:
    values = (None, None, None) if found is None else (found.value, found.low, found.high)
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))


def _networks(result: ProxyResult) -> list[dict[str, Any]]:
    """A line for each network of the sample: its costs and its scores."""
    config = result.study.config
    names, conditions = dict.fromkeys(["macs", "params", *config.region_metrics]), get_recipe(config.recipe).conditions
    columns = [result.reference, *(row.scored for row in result.rows if row.scored.kind != "cost")]
    return [
        {"key": arch.key}
        | {name: compute(name, arch, conditions) for name in names}
        | {column.name: column.scores.get(arch.key) for column in columns}
        for arch in result.study.archs
    ]


def _summary(result: ProxyResult) -> dict[str, Any]:
    config, found = result.study.config, result.recommendation
    return {
        "format": FORMAT,
        "dataset": config.data.dataset,
        "target": {"metric": config.target_metric.name, "value": config.target_value},
        "cost_band": list(config.cost_band),
        "networks": len(result.study.archs),
        "reference": {
            **asdict(config.against),
            "recipe": config.against_recipe,
            "seeds": config.against_seeds,
            "seconds": result.reference.seconds,
            "accuracies": dict(result.reference.scores),
            "agreement_with_itself": result.ceiling and result.ceiling.to_dict(),
        },
        "recommended": found.chosen and found.chosen.scored.name,
        "best": found.best and found.best.scored.name,
        "trusted": list(found.trusted),
        "not_significantly_below_best": list(found.equals),
        "trainings_without_accuracy": dict(result.lost),
        "rows": [row_dict(row) for row in result.rows],
    }


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
