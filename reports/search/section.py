"""The search: what was tried, what it found, and how far that can be trusted."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial

from matplotlib.axes import Axes

from reports.page.content import Figure, Section, Table
from reports.page.network_tables import layer_rows
from reports.reading.runs import RunData
from reports.search import figures as drawn
from reports.search import figures as drawn_choices
from reports.search import tables
from reports.search.data import SearchData, searches
from reports.search.expected_best import MIN_CANDIDATES as LEAST_RANDOM
from reports.search.expected_best import random_search, uniform_rewards
from reports.search.importance import MIN_CANDIDATES as LEAST_CHOICES
from reports.search.importance import Importance, importance
from reports.search.reranking import picks, sweep
from reports.search.rung_agreement import MIN_TRIALS as LEAST_JUDGES
from reports.search.rung_agreement import agreements, judges
from search_spaces.common.text import pluralise
from search_spaces.common.units import format_count

Item = str | Figure | Table
TERMS = {
    "FLOPs": "Multiply-adds of convolution and linear layers for one image, as the papers count them.",
    "reward": "What a search maximises: accuracy, corrected for the network's cost: its FLOPs against the target or "
    "(training-aware) the time S of a training step and the parameters P, over a baseline's.",
    "proxy": "The cheaper network that is trained in a network's place: fewer pixels, channels, images or passes.",
    "finalist": "One of the best candidates, trained again, longer and with several seeds, before the winner is named.",
    "stopped early": "Not trained to the end, because it was behind others at the same point of its training.",
    "Pareto front": "The networks that no other one beats in both accuracy and FLOPs.",
    "Kendall's tau": "Agreement of two rankings: 1 the same, 0 unrelated, -1 reversed.",
    "drawn uniformly": "Drawn so that every network of the cost band is equally likely: random search.",
    "worker time": "Seconds that workers spent on trainings, added up.",
}
BOTH = (1, 2)


def sections(runs: Sequence[RunData]) -> list[Section]:
    """One section a search, and before them one that compares the searches where there are several."""
    found = searches(runs)
    compared = [_comparison(found)] if len(found) > 1 else []
    return compared + [_section(one) for one in found]


def _comparison(found: Sequence[SearchData]) -> Section:
    items: list[Item] = [tables.comparison_table(found)]
    drawable = {one.label: one.trials for one in found if len(one.complete)}
    if drawable:
        caption = "The best reward of a candidate after each trial, against trials and against worker time."
        draw = partial(drawn.best_so_far, drawable)
        items.append(Figure("search-best", "The best so far", caption, caption, draw, BOTH, (9.5, 4.2)))
    settings = {
        (str(one.aim), one.aim and one.aim.target, one.run.config.get("dataset"), tables.proxy_text(one))
        for one in found
    }
    differ = "The searches differ in objective, target, data set or proxy: their rewards are not comparable."
    return Section("searches", "The searches compared", items, [differ] if len(settings) > 1 else [], terms=TERMS)


def _section(one: SearchData) -> Section:
    title = "The search" if one.alone else f"The search: {one.label}"
    name = "search" if one.alone else f"search-{one.label}"
    folder = shlex.quote(str(one.run.folder))
    again = f"`python -m nas.search --config {folder}/config.yaml --run {folder}`"
    items: list[Item] = [_introduction(one)]
    if one.complete.empty:
        told = f"{_nothing(one)} {again} goes on with the search."
        return Section(name, title, [*items, *_endings(one)], missing=[told], terms=TERMS)
    items += [*_trials(one), *_winner(one), *_objectives(one), *_choices(one), *_random(one), *_rungs(one)]
    missing = [] if one.winner else [f"No winner has been named yet: {again} goes on to the finalists."]
    return Section(name, title, [*items, *_endings(one)], _warnings(one), missing, TERMS)


def _nothing(one: SearchData) -> str:
    if (one.trials["outcome"] == "complete").any():
        return "No reward can be computed: objective, accuracies or FLOPs of the trials are missing or broken."
    return "No candidate has been trained to the end."


def _introduction(one: SearchData) -> str:
    config, complete = one.run.config, int((one.trials["outcome"] == "complete").sum())
    aim = f"{format_count(one.aim.target)} FLOPs, reward: {one.aim}" if one.aim else "an objective that cannot be read"
    stopped = int((one.trials["outcome"] == "pruned").sum())
    return (
        f"Sampler {config.get('sampler', 'unknown')} searched the space {config.get('space', 'unknown')} for a "
        f"network near {aim}. Candidates were judged as proxies on {config.get('dataset', 'unknown')} "
        f"({tables.proxy_text(one) or 'settings unknown'}). {pluralise(len(one.trials), 'candidate')}: {complete} "
        f"trained to the end, {stopped} stopped early, {len(one.trials) - complete - stopped} failed. "
        "Throughout, accuracy is the proxy's, FLOPs are the full network's."
    )


def _warnings(one: SearchData) -> list[str]:
    edge = one.run.result.get("band_edge")
    told = f"The winner lies at the {edge} edge of the cost band: the band chose its size, not the reward."
    return [told] if edge else []


def _trials(one: SearchData) -> list[Item]:
    best = one.best
    assert best is not None
    assert one.aim is not None
    spent = "training-step time and parameters" if one.aim.needs_step_times else "FLOPs"
    progress = (
        f"Each candidate's reward (proxy accuracy with the full network's {spent}) and the best so far, which came to "
        f"{best['reward']:.4f} in trial {best['trial']} of {len(one.trials)}. Hollow marks: not trained to the end, "
        "with the reward they had reached by then."
    )
    against = (
        f"Proxy accuracy against the full network's FLOPs. The best candidate had {100 * best['accuracy']:.1f} % with "
        f"{format_count(int(best['macs']), 4)}."
    )
    if one.aim.needs_step_times:
        against += f" Its full network's training step takes {best['relative_step']:.2f} of the baseline's time."
    else:
        against += " Along a dashed line the reward is the same; the number is that reward."
    trials, aim, key = one.trials, one.aim, one.winner_key
    return [
        Figure(one.named("progress"), "Reward against trials and compute", progress, progress,
               partial(drawn.progress, trials), BOTH, (9.5, 4.4)),
        Figure(one.named("accuracy"), "Accuracy against FLOPs", against, against,
               lambda axes: drawn.accuracy_macs(trials, aim, key, axes[0]), size=(7.5, 5.0)),
    ]  # fmt: skip


def _winner(one: SearchData) -> list[Item]:
    arch, finalists = one.winner, tables.finalist_table(one)
    items: list[Item] = [finalists] if finalists else []
    if arch is None:
        return items
    validation, test = (tables.accuracy_text(one, of) for of in ("validation", "test"))
    told = f"The winner is {one.winner_key}: {arch.resolution} px, {arch.classes} classes."
    if test:
        told += f" Its proxy's accuracy is {validation} % on validation and {test} % on test images"
        told += " (95 % intervals from its own seeds alone)."
    items.append(told)
    rows = layer_rows(arch)
    dearest = max(rows, key=lambda row: float(row["macs"] or 0))
    caption = (
        f"The full network's costs by layer. Most multiply-adds go into {dearest['stage']} ({dearest['operator']}): "
        f"{100 * float(dearest['share'] or 0):.1f} %."
    )
    size = (9.5, 1.2 + 0.24 * len(rows))
    draw = partial(drawn_choices.layer_costs, rows)
    costs = Figure(one.named("layer-costs"), "Where the winner's cost lies", caption, caption, draw, (1, 3), size)
    return [*items, tables.stage_table(one, arch), costs, tables.layer_table(one, arch)]


def _objectives(one: SearchData) -> list[Item]:
    assert one.aim is not None
    complete, aim = one.complete, one.aim
    picked = picks(complete, aim, one.winner_key)
    other = [pick for pick in picked if not pick.own]
    agreeing = sum(pick.key == one.winner_key for pick in other)
    swept = sweep(complete, aim.target)
    told = (
        f"Would another objective have picked another network? {agreeing} of {len(other)} others pick the winner among "
        f"the {len(complete)} networks trained to the end, and w from 0 to {swept['weight'].min():g} picks "
        f"{pluralise(swept['key'].nunique(), 'different network')}. These are single trainings, and the search looked "
        "where its own reward is high and stopped what it ranked low: another objective would have tried others."
    )
    items: list[Item] = [told, tables.pick_table(one, picked)]
    if swept["key"].nunique() < 2:
        return items
    caption = "What the soft reward, accuracy * (FLOPs/T)^w, would pick among the same trials, for each w."
    own = aim.weight if aim.kind == "soft" else None
    draw = partial(drawn_choices.weight_sweep, swept, own)
    figure = Figure(one.named("weights"), "The pick against the exponent w", caption, caption, draw, BOTH, (9.5, 3.6))
    return [*items, figure]


def _choices(one: SearchData) -> list[Item]:
    found = importance(one.complete)
    if found is None:
        few = f"Which choices mattered cannot be said: {pluralise(len(one.complete), 'network')} trained to the end"
        return [f"{few}, where at least {LEAST_CHOICES} and choices that vary are needed."]
    telling = [name for name, tells in zip(found.choices, found.telling, strict=True) if tells]
    if not telling:
        return [
            f"Which choices mattered these trials cannot say: none of {len(found.choices)} choices stands out from "
            f"what chance alone gives among {found.trials} networks (PED-ANOVA, 95 % bootstrap intervals)."
        ]
    return [_importance_figure(one, found, telling)]


def _importance_figure(one: SearchData, found: Importance, telling: Sequence[str]) -> Figure:
    caption = (
        f"How differently the best quarter of {found.trials} networks chose (PED-ANOVA, 95 % bootstrap intervals). "
        f"Beyond what chance gives in 19 of 20 cases: {', '.join(telling)}."
    )

    def draw(axes: Sequence[Axes]) -> None:
        drawn_choices.importances(found, axes[0])

    return Figure(one.named("importance"), "Which choices mattered", caption, caption, draw, size=(7.5, 4.6))


def _random(one: SearchData) -> list[Item]:
    number, random = len(uniform_rewards(one.trials)), random_search(one.trials)
    if random is None:
        return [
            f"What random search would have found cannot be said: {pluralise(number, 'trial')} of this search "
            f"{'was' if number == 1 else 'were'} drawn uniformly, and at least {LEAST_RANDOM} are needed."
        ]
    best, trials = one.best, one.trials
    assert best is not None
    equal = trials["best"].iloc[min(number, len(trials)) - 1]
    interval = f"{random.expected[-1]:.4f} (95 %: {random.low[-1]:.4f} to {random.high[-1]:.4f})"
    told = (
        f"{number} trials were drawn uniformly: the best of so many random trials is {interval}. "
        f"The search had {equal:.4f} after as many trials and {best['reward']:.4f} after all {len(trials)}. "
        "The interval cannot reach beyond the best random trial there was; both sides are single trainings."
    )
    caption = f"The expected best of n random trials, n up to {number}, beside the best that this search had found."
    figure = Figure(
        one.named("random"), "Against random search at equal budget", caption, caption,
        lambda axes: drawn.expected_best(random, trials, axes[0]),
    )  # fmt: skip
    return [told, figure]


def _rungs(one: SearchData) -> list[Item]:
    config = one.run.config
    stopped = config.get("scheduler", "asha") != "none" and config.get("objective") != "pareto"
    networks = judges(one.complete, stopped)
    which = "exempt from early stopping" if stopped else "trained to the end"
    found = agreements(networks)
    if not found:
        few = f"How well early passes rank later ones cannot be said: {pluralise(len(networks), 'network')} {which}"
        return [f"{few}; at least {LEAST_JUDGES} with two passes or more are needed, and some ten to say much."]
    return [f"How well early passes ranked the last one, on the {len(networks)} networks {which}:",
            tables.rung_table(one, found)]  # fmt: skip


def _endings(one: SearchData) -> list[Item]:
    reasons = tables.reason_table(one)
    return [tables.outcome_table(one), *([reasons] if reasons else [])]
