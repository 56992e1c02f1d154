"""What finished trainings say: how candidates rank networks, and how much shortcuts decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from benchmarks.recipe_ranking.networks import Member
from benchmarks.recipe_ranking.records import Records
from benchmarks.recipe_ranking.variants import AS_IS, FIRST_RATES, RATES, Candidate, next_rate
from studies.statistics.intervals import kendall, kendall_difference

Scores = Mapping[str, float]
"""A number for each network, by name."""

BEFORE = Candidate(AS_IS, 0.1)
# With fewer networks an interval of tau says nothing.
MIN_NETWORKS = 8
RESAMPLING_SEED = 0
# A reference is compared with itself under other seeds with at least so many of them.
SEEDS_TO_COMPARE = 2


@dataclass(frozen=True)
class Reference:
    """Each network at its own best rate, mean over seeds; networks that have been trained at the first rates.

    best  the rate, by network
    ends  number of networks whose best rate has both neighbours tried
    """

    scores: Scores
    best: Mapping[str, float]
    ends: int


def mean_by_rate(records: Records, network: str, seeds: Sequence[int]) -> dict[float, float]:
    """Mean accuracy of a network under the base recipe, by rate, over the seeds; rates that all seeds have."""
    found: dict[float, list[float]] = {}
    for training, result in records.items():
        if training.network == network and training.variant == AS_IS and training.seed in seeds:
            found.setdefault(training.lr, []).append(result.accuracy)
    return {rate: float(np.mean(values)) for rate, values in found.items() if len(values) == len(seeds)}


def reference_of(members: Sequence[Member], records: Records, seeds: Sequence[int]) -> Reference:
    """The reference so far."""
    means = {member.name: mean_by_rate(records, member.name, seeds) for member in members}
    begun = {name: found for name, found in means.items() if found.keys() >= set(FIRST_RATES)}
    best = {name: max(found, key=lambda rate: found[rate]) for name, found in begun.items()}
    ends = sum(next_rate(found) is None for found in begun.values())
    return Reference({name: begun[name][rate] for name, rate in best.items()}, best, ends)


def candidate_scores(records: Records, seed: int) -> dict[str, Scores]:
    """Accuracies under each candidate, and under the better of two rates of a variant.

    The better one is that with the lower training loss of the first pass, so the other one costs only that pass.
    """
    trained: dict[Candidate, dict[str, float]] = {}
    losses: dict[Candidate, dict[str, float]] = {}
    for training, result in records.items():
        if training.seed == seed:
            candidate = Candidate(training.variant, training.lr)
            trained.setdefault(candidate, {})[training.network] = result.accuracy
            # A loss that is no number is that of a diverged training: the other rate is better.
            losses.setdefault(candidate, {})[training.network] = float(np.nan_to_num(result.losses[0], nan=np.inf))
    found: dict[str, Scores] = {str(candidate): scores for candidate, scores in trained.items()}
    for first, second in combinations(trained, 2):
        if first.variant == second.variant:
            both = trained[first].keys() & trained[second].keys()
            found[f"{first} or {second.lr:g}"] = {
                name: trained[min((first, second), key=lambda one: losses[one][name])][name] for name in both
            }
    return found


def report(members: Sequence[Member], records: Records, seeds: Sequence[int], candidate_seed: int) -> str:
    """The tables of a study so far, as text."""
    reference, candidates = reference_of(members, records, seeds), candidate_scores(records, candidate_seed)
    lines = [
        f"{len(records)} trainings. {len(reference.scores)} of {len(members)} networks have a reference; for "
        f"{reference.ends} of them both neighbours of the best rate have been tried.",
        "",
    ]
    lines += [*_best_rates(members, reference, candidates.get(str(BEFORE), {})), ""]
    lines += _comparison(members, reference.scores, candidates)
    lines += ["", *_repeated(members, records, seeds, candidates)]
    if len(seeds) >= SEEDS_TO_COMPARE:
        lines += ["", _ceiling(members, records, seeds)]
    return "\n".join(lines)


def _best_rates(members: Sequence[Member], reference: Reference, before: Scores) -> Iterator[str]:
    """By kind of shortcut: own best rates, accuracy there, and what the base recipe at its own rate loses."""
    rates = sorted(set(reference.best.values()), reverse=True)
    yield "| shortcuts | networks | " + " | ".join(f"best at {rate:g}" for rate in rates) + f" | own best | {BEFORE} |"
    yield "|---" * (len(rates) + 4) + "|"
    for skip in dict.fromkeys(member.skip for member in members):
        names = [member.name for member in members if member.skip == skip and member.name in reference.scores]
        if names:
            counts = " | ".join(str(sum(reference.best[name] == rate for name in names)) for rate in rates)
            means = f"{_mean(reference.scores, names)} | {_mean(before, names)}"
            yield f"| {skip} | {len(names)} | {counts} | {means} |"


def _comparison(members: Sequence[Member], reference: Scores, candidates: Mapping[str, Scores]) -> Iterator[str]:
    """Each candidate's ranking against the reference, and how often a pooled network is ahead of another one.

    The second tau leaves out the networks that have pooled shortcuts throughout: where these are ahead of all others
    they make tau high, whatever the order of the rest.
    """
    yield "| recipe | networks | tau | gain in tau | tau without pooled | points lost | pooled ahead | pooled gain |"
    yield "|---" * 8 + "|"
    rest = {member.name for member in members if member.skip != "pool"}
    before = candidates.get(str(BEFORE), {})
    for name, scores in {"own best": reference, **candidates}.items():
        both = sorted(reference.keys() & scores.keys())
        if len(rest.intersection(both)) < MIN_NETWORKS:
            continue
        lost = f"{100 * np.mean([reference[one] - scores[one] for one in both]):.1f}"
        taus = "1 |  | 1"
        if scores is not reference:
            part = {one: scores[one] for one in both if one in rest}
            taus = f"{_tau(scores, reference)} | {_gain(name, scores, before, reference)} | {_tau(part, reference)}"
        yield f"| {name} | {len(both)} | {taus} | {lost} | {_pooled_ahead(members, scores)} |"


def _repeated(
    members: Sequence[Member], records: Records, seeds: Sequence[int], candidates: Mapping[str, Scores]
) -> Iterator[str]:
    """How well one rate of the base recipe agrees with itself under the reference's seeds: the limit set by noise."""
    for rate in RATES:
        means = {member.name: mean_by_rate(records, member.name, seeds) for member in members}
        again = {name: found[rate] for name, found in means.items() if rate in found}
        first = candidates.get(str(Candidate(AS_IS, rate)), {})
        if len(first.keys() & again.keys()) >= MIN_NETWORKS:
            yield f"tau of {AS_IS}@{rate:g} with itself under the reference's seeds: {_tau(first, again)}"


def _tau(scores: Scores, reference: Scores) -> str:
    names = sorted(reference.keys() & scores.keys())
    tau = kendall(_column(scores, names), _column(reference, names), np.random.default_rng(RESAMPLING_SEED))
    return f"{tau.value:.2f} [{tau.low:.2f}, {tau.high:.2f}]"


def _gain(name: str, scores: Scores, before: Scores, reference: Scores) -> str:
    """Tau minus that of the base recipe at its own rate, paired over the networks that all three have."""
    names = sorted(reference.keys() & scores.keys() & before.keys())
    if name == str(BEFORE) or len(names) < MIN_NETWORKS:
        return ""
    mine, base, truth = (_column(one, names) for one in (scores, before, reference))
    gain = kendall_difference(mine, base, truth, np.random.default_rng(RESAMPLING_SEED))
    return f"{gain.value:+.2f} [{gain.low:+.2f}, {gain.high:+.2f}]"


def _pooled_ahead(members: Sequence[Member], scores: Scores) -> str:
    """Among hand-made networks: the share of pairs of different bases, one of them pooled, in which that one is ahead;
    and the mean gain of a base, in points, by pooled shortcuts in place of its others.
    """
    made = [member for member in members if member.skip != "drawn" and member.name in scores]
    pooled, others = ([one for one in made if (one.skip == "pool") is wanted] for wanted in (True, False))
    pairs = [(scores[a.name], scores[b.name]) for a, b in product(pooled, others) if a.base != b.base]
    same = [scores[a.name] - scores[b.name] for a, b in product(pooled, others) if a.base == b.base]
    if not pairs or not same:
        return " | "
    return f"{np.mean([a > b for a, b in pairs]):.0%} of {len(pairs)} | {100 * np.mean(same):+.1f}"


def _ceiling(members: Sequence[Member], records: Records, seeds: Sequence[int]) -> str:
    """The agreement of the reference with itself: own best of the first seed against that of the others."""
    first, others = (reference_of(members, records, part).scores for part in (seeds[:1], seeds[1:]))
    return f"tau of the reference's first seed with its others: {_tau(first, others)}"


def _mean(scores: Scores, names: Sequence[str]) -> str:
    known = [scores[name] for name in names if name in scores]
    return f"{np.mean(known):.1%}" if known else ""


def _column(scores: Scores, names: Sequence[str]) -> list[float]:
    return [scores[name] for name in names]
