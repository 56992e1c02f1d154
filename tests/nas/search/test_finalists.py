"""Who becomes a finalist, who wins, and who cannot be told from the winner."""

from __future__ import annotations

import pytest
from optuna.trial import TrialState

import search_spaces as ss
from nas.objectives import Objective
from nas.search import finalists
from nas.search.config import SearchConfig
from studies.ledger.trial import Record
from studies.outcome import Outcome

ARCHS = [ss.get("mobilenet_v2").replace(stem=stem) for stem in (24, 32, 40, 48)]
AIM = Objective("accuracy", 400)


def record(number: int, accuracies: list[float], outcome: Outcome = Outcome.COMPLETE, **changes: object) -> Record:
    arch = ARCHS[number % len(ARCHS)]
    fields = {
        "number": number, "phase": "candidate", "choice": {}, "key": arch.key, "arch": arch.to_json(),
        "macs": 400 + number, "params": 1, "activations": 1, "proposal_index": number, "seed": 0, "replicate": False,
        "proposed_by": "uniform", "never_pruned": False, "state": TrialState.COMPLETE, "outcome": outcome, "reason": "",
        "values": None, "rungs": tuple({"step": i, "accuracy": a} for i, a in enumerate(accuracies, start=1)),
        "seconds": 1.0, "worker": "", "repeat_of": None, "retry_of": None, "notes": {}, "owner": {},
    }  # fmt: skip
    return Record(**{**fields, **changes})  # type: ignore[arg-type]


def test_finalists_are_the_best_that_were_trained_to_the_end():
    records = [
        record(0, [0.5, 0.7]),
        record(1, [0.9], Outcome.PRUNED),
        record(2, [0.5, 0.8]),
        record(3, [0.5, 0.6]),
        record(6, [0.5, 0.8], repeat_of=2),
    ]
    assert [r.number for r in finalists.choose(records, AIM, 2)] == [2, 0]


def test_what_is_believed_of_a_network_goes_before_what_was_measured():
    lucky, steady, other, unknown = (record(n, [value]) for n, value in enumerate((0.9, 0.8, 0.7, 0.72)))
    posterior_means = {lucky.key: 0.65, steady.key: 0.79, other.key: 0.75}
    records = [lucky, steady, other, unknown]
    assert finalists.choose(records, AIM, 3, posterior_means) == [steady, other, unknown]
    assert finalists.choose(records, AIM, 3) == [lucky, steady, unknown]


def test_cost_counts_in_the_choice():
    cheap, dear = record(0, [0.80], macs=200), record(1, [0.81], macs=800)
    assert finalists.choose([cheap, dear], Objective("soft", 400), 1) == [cheap]
    assert finalists.choose([cheap, dear], AIM, 1) == [dear]


def test_each_finalist_gets_the_same_seeds_block_by_block():
    wanted = finalists.proposals([record(0, [0.7]), record(1, [0.6])], SearchConfig(finalist_seeds=3, seed=5))
    assert [(p.key, p.seed) for p in wanted] == [(ARCHS[i].key, 1005 + block) for block in range(3) for i in (0, 1)]


def trained(number: int, values: list[float]) -> list[Record]:
    return [record(number, [value], seed=seed) for seed, value in enumerate(values)]


def test_the_winner_has_the_highest_mean_not_the_luckiest_seed():
    steady, lucky = trained(0, [0.80, 0.80, 0.80]), trained(1, [0.70, 0.70, 0.95])
    verdict = finalists.judge([*lucky, *steady], AIM)
    assert verdict is not None
    assert verdict.winner.record.key == ARCHS[0].key
    assert verdict.equals == (ARCHS[1].key,)


def test_a_clear_loser_is_told_from_the_winner():
    best, near, far = trained(0, [0.80, 0.81, 0.82]), trained(1, [0.80, 0.80, 0.82]), trained(2, [0.50, 0.51, 0.52])
    verdict = finalists.judge([*far, *best, *near], AIM)
    assert verdict is not None
    assert verdict.equals == (ARCHS[1].key,)


def test_what_seeds_do_to_all_alike_does_not_hide_a_difference():
    # Every seed moves both by the same: the blocked differences are exactly 0.02 up to 0.001.
    best, other = trained(0, [0.82, 0.72, 0.92]), trained(1, [0.80, 0.701, 0.899])
    verdict = finalists.judge([*best, *other], AIM)
    assert verdict is not None
    assert verdict.equals == ()


def test_one_seed_tells_nothing():
    verdict = finalists.judge([*trained(0, [0.8]), *trained(1, [0.2])], AIM)
    assert verdict is not None
    assert verdict.equals is None


def test_failures_alone_leave_no_verdict():
    assert finalists.judge([record(0, [], Outcome.NAN)], AIM) is None


def test_gain_per_doubling_uses_every_first_rung():
    # Accuracy 0.5 * 1.05^log2(macs / 400): 5 % a doubling by construction; the later rung must not matter.
    records = [record(i, [0.5 * 1.05**i, 0.9], macs=400 * 2**i) for i in range(4)]
    gain = finalists.gain_of_doubling(records)
    assert gain is not None
    assert gain.value == pytest.approx(0.05)
    assert finalists.gain_of_doubling(records[:2]) is None


@pytest.mark.parametrize(("macs", "end"), [(320, "lower"), (322, "lower"), (370, ""), (418, "upper"), (420, "upper")])
def test_the_bands_ends_are_noticed(macs: int, end: str):
    assert finalists.at_edge(macs, (320, 420)) == end
