"""The section on searches: what was tried, what was found, and how far that can be trusted."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial

from matplotlib.axes import Axes

from nas.search.wording import describe_edge
from reports.page.content import Figure, Section, Table
from reports.page.network_tables import layer_rows
from reports.page.prose import slug
from reports.reading.runs import RunData
from reports.search import figures as drawings
from reports.search import tables
from reports.search.data import SearchData, searches
from reports.search.expected_best import MIN_CANDIDATES as MIN_RANDOM
from reports.search.expected_best import random_search, uniform_rewards
from reports.search.importance import MIN_CANDIDATES as MIN_NETWORKS
from reports.search.importance import Importance, importance
from reports.search.reranking import picks, sweep
from reports.search.rung_agreement import MIN_TRIALS, agreements, unstopped
from search_spaces.common.text import pluralise
from search_spaces.metrics.limits import describe_limits
from search_spaces.metrics.registry import METRICS, Metric

Item = str | Figure | Table
TERMS = {
    "FLOPs": "Multiply-adds of convolution and linear layers for one image, as the papers count them.",
    "reward": "What a search maximises: accuracy, corrected for the network's cost: a metric against the target or "
    "(training-aware) the time S of a training step and the parameters P, over a baseline's.",
    "proxy": "A cheaper network that is trained in another's place: fewer pixels, channels, images or passes.",
    "finalist": "One of the best candidates, trained again, longer and with more seeds, before the winner is named.",
    "control": "A network that the search did not find, judged beside the finalists: a published one brought to the "
    "target, or one drawn uniformly.",
    "stopped early": "Not trained to the end, because it was behind others at the same point of its training.",
    "Pareto front": "The networks that no other one beats in both accuracy and cost.",
    "Kendall's tau": "Agreement of two rankings: 1 the same, 0 unrelated, -1 reversed.",
    "drawn uniformly": "Drawn so that every network of the cost band is equally likely: random search.",
    "worker time": "Seconds that workers spent on trainings, added up.",
}
BOTH = (1, 2)


def sections(runs: Sequence[RunData]) -> list[Section]:
    """One section per search, preceded by one that compares them if there is more than one."""
    found = searches(runs)
    compared = [_comparison(found)] if len(found) > 1 else []
    return compared + [_section(one) for one in found]


def _comparison(found: Sequence[SearchData]) -> Section:
    items: list[Item] = [tables.comparison_table(found)]
    drawable = {one.label: one.trials for one in found if len(one.complete)}
    if drawable:
        caption = "The best reward of a candidate after each trial, against trials and against worker time."
        draw = partial(drawings.best_so_far, drawable)
        items.append(Figure("search-best", "The best so far", caption, caption, draw, BOTH, (9.5, 4.2)))
    settings = {
        (
            str(one.objective),
            one.aim,
            one.run.setting("data.dataset"),
            tables.proxy_text(one),
        )
        for one in found
    }
    differ = "The searches differ in objective, target, data set or proxy: their rewards are not comparable."
    return Section("searches", "The searches compared", items, [differ] if len(settings) > 1 else [], terms=TERMS)


def _section(one: SearchData) -> Section:
    title = "The search" if one.alone else f"The search: {one.label}"
    name = "search" if one.alone else f"search-{one.label}"
    folder = shlex.quote(str(one.run.folder))
    again = f"`python -m nas.search --config {folder}/config.yaml --run {folder}`"
    verdict = " ".join(one.conclusions.sentences())
    items: list[Item] = [verdict] if verdict else []
    if one.conclusions.only:
        return Section(name, title, [*items, *_known_networks(one)], terms=TERMS)
    items.append(_introduction(one))
    if one.complete.empty:
        text = f"{_nothing(one)} {again} resumes the search."
        return Section(name, title, [*items, *_endings(one)], missing=[text], terms=TERMS)
    items += [*_trials(one), *_winner(one), *_objectives(one), *_choices(one), *_random(one), *_rungs(one)]
    missing = [] if one.winner else [f"No winner has been named yet: {again} resumes with the finalists."]
    return Section(name, title, [*items, *_endings(one)], _warnings(one), missing, TERMS)


def _known_networks(one: SearchData) -> list[Item]:
    """The section of a run with known networks only."""
    data, target = one.run.setting("data.dataset", "unknown"), one.metric.describe(one.aim.target) if one.aim else ""
    text = (
        f"Nothing was searched: known networks were brought to {target} and trained as proxies on {data} "
        f"({tables.proxy_text(one) or 'settings unknown'})."
    )
    return [text, *_winner(one), *_endings(one)]


def _nothing(one: SearchData) -> str:
    if (one.trials["outcome"] == "complete").any():
        return "No reward can be computed: objective, accuracies or metrics of the trials are missing or broken."
    return "No candidate has been trained to the end."


def _introduction(one: SearchData) -> str:
    config, complete = one.run.config, int((one.trials["outcome"] == "complete").sum())
    objective = (
        f"{one.metric.describe(one.aim.target)}, reward: {one.objective}"
        if one.aim and one.objective
        else "an objective that cannot be read"
    )
    stopped = int((one.trials["outcome"] == "pruned").sum())
    return (
        f"Sampler {config.get('sampler', 'unknown')} searched the space {config.get('space', 'unknown')} for a "
        f"network near {objective}. Candidates were trained as proxies on {one.run.setting('data.dataset', 'unknown')} "
        f"({tables.proxy_text(one) or 'settings unknown'}). {pluralise(len(one.trials), 'candidate')}: {complete} "
        f"trained to the end, {stopped} stopped early, {len(one.trials) - complete - stopped} failed. "
        f"{_limited(one)}Throughout, accuracy is the proxy's, costs are the full network's."
    )


def _limited(one: SearchData) -> str:
    return f"Networks had {describe_limits(one.limits)}. " if one.limits else ""


def _warnings(one: SearchData) -> list[str]:
    edge = one.run.result.get("band_edge")
    return [describe_edge(edge)] if edge else []


def _trials(one: SearchData) -> list[Item]:
    best = one.best
    assert best is not None
    assert one.objective is not None
    assert one.aim is not None
    labels = [METRICS.row(name).label for name in one.objective.metrics] or [one.metric.label]
    spent = " and ".join(labels)
    progress = (
        f"Each candidate's reward (proxy accuracy with the full network's {spent}) and the best so far, which came to "
        f"{best['reward']:.4f} in trial {best['trial']} of {len(one.trials)}. Hollow marks: not trained to the end, "
        "with the reward they had reached by then."
    )
    return [
        Figure(one.named("progress"), "Reward against trials and compute", progress, progress,
               partial(drawings.progress, one.trials), BOTH, (9.5, 4.4)),
        *[_against(one, METRICS.row(name)) for name in dict.fromkeys([one.metric.name, *one.objective.axes])],
    ]  # fmt: skip


def _against(one: SearchData, metric: Metric) -> Figure:
    """The figure of accuracy against the target's metric, or an axis of a Pareto search."""
    best, aim, objective = one.best, one.aim, one.objective
    assert best is not None
    assert aim is not None
    assert objective is not None
    text = (
        f"Proxy accuracy against the full network's {metric.label}. The best candidate had "
        f"{100 * best['accuracy']:.1f} % with {metric.format(best[metric.name], 4)}."
    )
    if objective.needs_step_times:
        text += f" Its full network's training step takes {best['relative_step_time']:.2f} of the baseline's time."
    elif objective.is_product and objective.metrics == (metric.name,):
        text += " Along a dashed line the reward is the same; the number is that reward."
    trials, key = one.trials, one.winner_key

    def draw(axes: Sequence[Axes]) -> None:
        drawings.accuracy_against(trials, objective, aim, metric, key, axes[0])

    name = "accuracy" if metric.name == one.metric.name else f"accuracy-{slug(metric.name)}"
    return Figure(one.named(name), f"Accuracy against {metric.label}", text, text, draw, size=(7.5, 5.0))


def _winner(one: SearchData) -> list[Item]:
    arch, compared = one.winner, (tables.finalist_table(one), tables.control_table(one))
    items: list[Item] = [table for table in compared if table]
    if arch is None:
        return items
    validation, test = (tables.accuracy_text(one, of) for of in ("validation", "test"))
    winner = f"The winner is {one.winner_key}: {arch.resolution} px, {arch.classes} classes."
    if test:
        winner += f" Its proxy's accuracy is {validation} % on validation and {test} % on test images"
        winner += " (95 % intervals from its own seeds alone)."
    items.append(winner)
    rows = layer_rows(arch)
    largest = max(rows, key=lambda row: float(row["macs"] or 0))
    caption = (
        f"The full network's costs by layer. Most multiply-adds go into {largest['stage']} ({largest['operator']}): "
        f"{100 * float(largest['share'] or 0):.1f} %."
    )
    size = (9.5, 1.2 + 0.24 * len(rows))
    draw = partial(drawings.layer_costs, rows)
    costs = Figure(one.named("layer-costs"), "Where the winner's cost lies", caption, caption, draw, (1, 3), size)
    return [*items, tables.stage_table(one, arch), costs, tables.layer_table(one, arch)]


def _objectives(one: SearchData) -> list[Item]:
    assert one.objective is not None
    assert one.aim is not None
    complete, objective = one.complete, one.objective
    picked = picks(complete, objective, one.aim, one.winner_key, [metric.name for metric in one.metrics])
    other = [pick for pick in picked if not pick.own]
    agreeing = sum(pick.key == one.winner_key for pick in other)
    swept = sweep(complete, one.aim)
    text = (
        f"Would another objective have picked another network? {agreeing} of {len(other)} others pick the winner among "
        f"the {len(complete)} networks trained to the end, and w from 0 to {swept['weight'].min():g} picks "
        f"{pluralise(swept['key'].nunique(), 'different network')}. These are single trainings, and the search tried "
        "networks of high reward and stopped those of low reward: another objective would have tried others."
    )
    items: list[Item] = [text, tables.pick_table(one, picked)]
    if swept["key"].nunique() < 2:
        return items
    caption = f"What the soft reward, accuracy * ({one.aim.ratio})^w, would pick among the same trials, for each w."
    own = one.aim.weight if objective.name == "soft" else None
    draw = partial(drawings.weight_sweep, swept, one.metric, own)
    figure = Figure(one.named("weights"), "The pick against the exponent w", caption, caption, draw, BOTH, (9.5, 3.6))
    return [*items, figure]


def _choices(one: SearchData) -> list[Item]:
    found = importance(one.complete)
    if found is None:
        few = f"Which choices mattered is not known: {pluralise(len(one.complete), 'network')} trained to the end"
        return [f"{few}, where at least {MIN_NETWORKS} and choices that vary are needed."]
    relevant = [name for name, above in zip(found.choices, found.above_chance, strict=True) if above]
    if not relevant:
        return [
            f"Which choices mattered is not known: none of {len(found.choices)} choices exceeds "
            f"chance among {found.trials} networks (PED-ANOVA, 95 % bootstrap intervals)."
        ]
    return [_importance_figure(one, found, relevant)]


def _importance_figure(one: SearchData, found: Importance, relevant: Sequence[str]) -> Figure:
    caption = (
        f"How differently the best quarter of {found.trials} networks chose (PED-ANOVA, 95 % bootstrap intervals). "
        f"Beyond what chance gives in 19 of 20 cases: {', '.join(relevant)}."
    )

    def draw(axes: Sequence[Axes]) -> None:
        drawings.importances(found, axes[0])

    return Figure(one.named("importance"), "Which choices mattered", caption, caption, draw, size=(7.5, 4.6))


def _random(one: SearchData) -> list[Item]:
    number, random = len(uniform_rewards(one.trials)), random_search(one.trials)
    if random is None:
        return [
            f"The result of random search is not known: {pluralise(number, 'trial')} of this search "
            f"{'was' if number == 1 else 'were'} drawn uniformly, and at least {MIN_RANDOM} are needed."
        ]
    best, trials = one.best, one.trials
    assert best is not None
    equal = trials["best"].iloc[min(number, len(trials)) - 1]
    interval = f"{random.expected[-1]:.4f} (95 %: {random.low[-1]:.4f} to {random.high[-1]:.4f})"
    text = (
        f"{number} trials were drawn uniformly: the best of so many random trials is {interval}. "
        f"The search had {equal:.4f} after as many trials and {best['reward']:.4f} after all {len(trials)}. "
        "The interval cannot reach beyond the best random trial there was; both sides are single trainings."
    )
    caption = f"The expected best of n random trials, n up to {number}, and the best that this search had found."
    figure = Figure(
        one.named("random"), "Against random search at equal budget", caption, caption,
        lambda axes: drawings.expected_best(random, trials, axes[0]),
    )  # fmt: skip
    return [text, figure]


def _rungs(one: SearchData) -> list[Item]:
    config = one.run.config
    stopped = config.get("scheduler", "asha") != "none" and not (one.objective and one.objective.axes)
    networks = unstopped(one.complete, stopped)
    which = "exempt from early stopping" if stopped else "trained to the end"
    found = agreements(networks)
    if not found:
        few = f"How well early passes rank later ones is not known: {pluralise(len(networks), 'network')} {which}"
        return [
            f"{few}; at least {MIN_TRIALS} with two passes or more are needed, and about ten for a useful estimate."
        ]
    return [f"How well early passes ranked the last one, on the {len(networks)} networks {which}:",
            tables.rung_table(one, found)]  # fmt: skip


def _endings(one: SearchData) -> list[Item]:
    reasons = tables.reason_table(one)
    return [tables.outcome_table(one), *([reasons] if reasons else [])]
