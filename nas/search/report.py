"""The report that a search prints at its end."""

from __future__ import annotations

from nas.search.analysis import SearchResult
from nas.search.config import SearchConfig
from nas.search.control_table import control_table
from nas.search.files import BEST, PROXY_WEIGHTS, RESULT
from nas.search.run import TABLES
from nas.search.step_times import baseline_of, step_batch
from nas.search.wording import describe_edge, describe_finalists, describe_known
from search_spaces.common.text import align_facts, pluralise
from search_spaces.common.units import format_count
from search_spaces.metrics.counts import cost
from search_spaces.metrics.registry import METRICS
from search_spaces.metrics.tables import stage_table
from studies.ledger.storage import without_password
from studies.outcome import Outcome
from studies.statistics.intervals import Estimate
from studies.timing.step_time import KEYS

# An interval of the gain per doubling that is wider than this, 100 %, is not reported.
MAX_GAIN_WIDTH = 1.0


def report(result: SearchResult) -> str:
    """The result as text: verdict, network, reward, cost, accuracies, controls, warnings and files."""
    table = stage_table(result.best.arch)
    first = ["\n".join(result.controls.conclusions.sentences()), _headline(result)]
    if result.session.config.controls.only:
        first.reverse()
    parts = (*first, table, _figures(result), control_table(result), _caveats(result), _files(result))
    return "\n\n".join(filter(None, parts))


def _headline(result: SearchResult) -> str:
    arch, config = result.best.arch, result.session.config
    name = f"{arch.key}, {arch.resolution} px, {arch.classes} classes, {arch.activation}"
    known = next((one.control.title for one in result.controls.trained if one.control.arch.key == arch.key), "")
    what = f"Best known network for {config.target_text}: {known}" if config.controls.only else ""
    adopted = f"Adopted control for {config.target_text}: {known}" if result.controls.adopted else ""
    return f"{what or adopted or f'Best baseline for {config.target_text}'}{',' if known else ':'} {name}"


def _figures(result: SearchResult) -> str:
    best, config = result.best, result.session.config
    spent, proxy = cost(best.arch), config.proxy
    training = (
        f"{config.data.dataset} at {proxy.resolution} px, width x{proxy.width:g}, "
        f"{pluralise(config.finalist.epochs, 'epoch')}, {pluralise(len(best.seeds), 'seed')}"
    )
    return align_facts(
        {
            "reward": f"{best.reward:.4f}  ({config.objective_text})",
            "FLOPs": f"{format_count(spent.macs, 4)} multiply-adds of the full network{_share(result, 'macs')}; "
            f"fvcore counts {format_count(result.fvcore, 4)}, with batch norm and pooling",
            "params": f"{format_count(spent.params, 4)}{_share(result, 'params')}",
            **_other_metrics(result),
            **_step(result),
            "proxy accuracy": f"{best.accuracy.percent} on validation images, {result.test.percent} on test images",
            "": f"of the PROXY, not of the full network: {training}",
            **(_known(result) if config.controls.only else _searched(result)),
        }
    )


def _share(result: SearchResult, metric: str) -> str:
    """The winner's value of a metric over the target, if the target is of that metric."""
    config = result.session.config
    if config.target_metric.name != metric:
        return ""
    return f" ({result.best.record.metrics[metric] / config.target_value:.1%} of the target)"


def _other_metrics(result: SearchResult) -> dict[str, str]:
    """The winner's values of the other metrics that target, limits and objective look at."""
    config, metrics = result.session.config, result.best.record.metrics
    names = [name for name in config.metrics if name in metrics and name not in ("macs", "params")]
    rows = {}
    for name in names:
        metric, limit = METRICS.row(name), config.upper_limits.get(name)
        below = f" (limit: {metric.format(limit)})" if limit else ""
        rows[metric.label] = f"{metric.format(metrics[name], 4)}{_share(result, name)}{below}"
    return rows


def _step(result: SearchResult) -> dict[str, str]:
    """The winner's training-step time, if the objective needs it."""
    config, rung = result.session.config, result.best.record.rungs[-1]
    if not config.objective_function.needs_step_times:
        return {}
    how = "measured" if config.objective.step_times == "measured" else "summed from its layers' times"
    seconds, step, params = (rung[name] for name in KEYS)
    batch = step_batch(config, result.session.region)
    return {
        "training step": f"{seconds:.4g} s for {pluralise(batch, 'image')}, {how}; S = {step:.3f}, P = {params:.3f}",
        " ": f"over {baseline_of(result.session.region).key}, the network that the space varies",
    }


def _known(result: SearchResult) -> dict[str, str]:
    """How the best known network compares with the others, where nothing was searched."""
    equals = result.verdict.equals
    return {"others": describe_known(len(result.verdict.ranked) - 1, None if equals is None else len(equals))}


def _searched(result: SearchResult) -> dict[str, str]:
    """What is known of finalists and candidates."""
    config = result.session.config
    return {
        "finalists": _finalists(result),
        "candidates": _candidates(result),
        f"accuracy per {config.target_metric.label} doubling": gain_per_doubling(result.gain, config),
    }


def _finalists(result: SearchResult) -> str:
    equals = result.verdict.equals
    return describe_finalists(len(result.verdict.ranked) - 1, None if equals is None else len(equals))


def _candidates(result: SearchResult) -> str:
    order = sorted(result.outcomes, key=list(Outcome).index)
    counts = ", ".join(f"{result.outcomes[outcome]} {outcome}" for outcome in order)
    return f"{result.trained} different networks trained: {counts}"


def gain_per_doubling(gain: Estimate | None, config: SearchConfig) -> str:
    """The gain in accuracy per doubling of the target's metric among the candidates, and what the reward assumes."""
    if gain is None or not gain.high - gain.low < MAX_GAIN_WIDTH:
        return "unknown: too few candidates, or too similar in cost"
    low, high = (f"{100 * end:+.1f}" for end in (gain.low, gain.high))
    text = f"{100 * gain.value:+.1f} % (95 % CI {low} to {high})"
    assumed = _assumed(config)
    return text if assumed is None else f"{text}; the reward assumes {100 * assumed:+.0f} %"


def _assumed(config: SearchConfig) -> float | None:
    """The gain per doubling of the target's metric at which the reward stays equal; None if it has no constant weight.

    Both sides of the target then have the same weight.
    """
    terms = config.objective_function.terms
    if len(terms) != 1 or terms[0].metric != config.target_metric.name or terms[0].weight_above is not None:
        return None
    return float(2.0 ** -terms[0].weight - 1)


def _caveats(result: SearchResult) -> str:
    """Warnings, a line each; an empty text without any."""
    lines = []
    if result.edge:
        lines.append(f"warning: {describe_edge(result.edge)}")
    assumed, cost = _assumed(result.session.config), result.session.config.target_metric.label
    if result.gain and assumed and not result.gain.low <= assumed <= result.gain.high:
        lines.append(
            f"warning: the reward's exponent does not fit this data: the accuracy per {cost} doubling differs from "
            "what it assumes; choose another --weight"
        )
    if len(result.best.seeds) < 2:
        lines.append("warning: one seed per finalist gives no confidence intervals; use --finalist.seeds 3 or more")
    return "\n".join(lines)


def _files(result: SearchResult) -> str:
    run = result.session.run
    return align_facts(
        {
            "network": f'{run.path(BEST)}  (search_spaces.Arch.load("{run.path(BEST)}"))',
            "proxy's weights": f"{run.path(PROXY_WEIGHTS)}, with its arch in the .json file beside it",
            "all trials": ", ".join(str(run.path(table)) for table in _tables(result)),
            "ledger": without_password(result.session.storage),
            "numbers": f"{run.path(RESULT)}",
            "report": f"python -m reports.build {run.folder}  (one page with all results)",
        }
    )


def _tables(result: SearchResult) -> list[str]:
    return [TABLES["finalists"]] if result.session.config.controls.only else list(TABLES.values())
