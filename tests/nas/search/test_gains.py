"""What a winner gained over its controls: by hand, in words, in result.json."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from nas.controls.control import Controls
from nas.search.conclusions import SearchConclusions
from nas.search.gains import ControlResults, judge_all
from nas.search.ranking import Verdict
from studies.ledger.trial import Record
from studies.outcome import Outcome
from tests.nas.search.records import ACCURACY, ARCHS, control, trained

# Seeds move all alike, up to a little.
WINNER, OTHER = [0.80, 0.70, 0.90], [0.79, 0.69, 0.891]
CONTROLS = Controls((control(2, "mobilenet_v2"), control(3, "random 1", is_random=True)))


def phase(name: str, number: int, values: list[float]) -> list[Record]:
    return [replace(record, phase=name) for record in trained(number, values)]


def judged(
    known: list[float], random: list[float], *, controls: Controls = CONTROLS, only: bool = False, adopt: bool = False
) -> tuple[Verdict, ControlResults]:
    finalists = [*phase("finalist", 0, WINNER), *phase("finalist", 1, OTHER)]
    records = [*finalists, *phase("control", 2, known), *phase("control", 3, random)]
    found = judge_all(records, controls, ACCURACY, only=only, adopt=adopt)
    assert found is not None
    return found


def test_gains_are_differences_of_means():
    verdict, results = judged([0.75, 0.65, 0.851], [0.70, 0.61, 0.80])
    conclusions = results.conclusions
    assert verdict.winner.record.key == ARCHS[0].key
    best, random = conclusions.best_control, conclusions.random
    assert best is not None
    assert random is not None
    # The winner's mean is 0.8; the controls' are 2.251 / 3 and 2.11 / 3.
    assert (best.over, best.reward.value) == ("mobilenet_v2", pytest.approx(0.049667, abs=1e-5))
    assert random.reward.value == pytest.approx(0.096667, abs=1e-5)
    for gain in (best, random):
        assert gain.reward.low > 0
        assert gain.accuracy == gain.reward
    assert not conclusions.is_control_ahead
    first, second, _ = conclusions.sentences()
    assert "gained 5.0 points" in first
    assert "9.7 points of reward above 1 network drawn uniformly" in second


def test_a_small_lead_is_not_significant():
    _, results = judged([0.79, 0.71, 0.88], [0.70, 0.61, 0.80])
    text = results.conclusions.sentences()[0]
    assert text.startswith("The winner is not significantly different from its best control, mobilenet_v2")


def test_a_control_that_is_ahead_is_said_loudly_and_adopted_on_request():
    ahead = ([0.85, 0.76, 0.95], [0.70, 0.61, 0.80])
    _, results = judged(*ahead)
    assert results.adopted is None
    assert results.conclusions.is_control_ahead
    text = results.conclusions.sentences()[0]
    assert text.startswith("A CONTROL IS AHEAD")
    assert "5.3 points more reward" in text
    assert "a significant difference" in text
    assert "--adopt-control" in text
    _, results = judged(*ahead, adopt=True)
    assert results.adopted is not None
    assert results.adopted.record.key == ARCHS[2].key
    assert results.conclusions.adopted == "mobilenet_v2"
    assert "--adopt-control" not in results.conclusions.sentences()[0]


def test_a_control_behind_is_not_adopted():
    _, results = judged([0.75, 0.65, 0.851], [0.95, 0.95, 0.95], adopt=True)
    # Nor is a random network, which only tells how good the space is.
    assert results.adopted is None
    assert "BELOW" in results.conclusions.sentences()[1]


def test_only_controls_ranks_the_known_ones():
    controls = Controls((control(1, "mnasnet_a1"), control(2, "mobilenet_v2"), control(3, "random", is_random=True)))
    values = {1: OTHER, 2: [0.7, 0.61, 0.8], 3: [0.5, 0.41, 0.6]}
    records = [record for number, row in values.items() for record in phase("control", number, row)]
    found = judge_all(records, controls, ACCURACY, only=True)
    assert found is not None
    verdict, results = found
    assert [one.record.key for one in verdict.ranked] == [ARCHS[1].key, ARCHS[2].key]
    assert verdict.equals == ()
    assert results.conclusions.known == ()
    assert results.conclusions.random is not None
    assert results.conclusions.random.reward.value == pytest.approx(0.790333 - 0.503333, abs=1e-5)


def test_a_control_without_all_seeds_is_not_compared():
    finalists = [*phase("finalist", 0, WINNER), *phase("finalist", 1, OTHER)]
    broken = phase("control", 2, [0.7, 0.6, 0.8])
    broken[1] = replace(broken[1], outcome=Outcome.NAN)
    found = judge_all([*finalists, *broken, *phase("control", 3, [0.5, 0.4, 0.6])], CONTROLS, ACCURACY)
    assert found is not None
    _, results = found
    assert results.conclusions.best_control is None
    assert results.conclusions.random is not None
    assert "1 nan" in results.trained[0].problem


def test_a_finalist_that_is_a_control_gains_nothing_over_itself():
    controls = Controls((control(0, "mobilenet_v2"), control(2, "mnasnet_a1")))
    _, results = judged([0.75, 0.65, 0.851], [], controls=controls)
    first, second = results.conclusions.known
    assert (first.over, first.reward.value, first.reward.low, first.reward.high) == ("mobilenet_v2", 0, 0, 0)
    assert second.reward.low > 0


def test_one_seed_gives_no_interval():
    records = [*phase("finalist", 0, [0.8]), *phase("control", 2, [0.7]), *phase("control", 3, [0.6])]
    found = judge_all(records, CONTROLS, ACCURACY)
    assert found is not None
    text = found[1].conclusions.sentences()[0]
    assert "one seed" in text
    assert "significant" not in text


def test_without_controls_nothing_is_said():
    _, results = judged([], [], controls=Controls())
    assert results.conclusions == SearchConclusions()
    assert results.conclusions.sentences() == []


@pytest.mark.parametrize("values", [([0.75, 0.65, 0.851], [0.70, 0.61, 0.80]), ([0.85, 0.76, 0.95], [0.9, 0.8, 0.99])])
def test_conclusions_survive_the_file(values: tuple[list[float], list[float]]):
    conclusions = judged(*values, adopt=True)[1].conclusions
    assert SearchConclusions.of_dict(json.loads(json.dumps(conclusions.to_dict()))) == conclusions


@pytest.mark.parametrize("broken", [None, [], {"random": 3}, {"gains": [{"over": "a"}]}])
def test_a_broken_file_is_refused(broken: object):
    with pytest.raises(ValueError, match="must"):
        SearchConclusions.of_dict(broken)
