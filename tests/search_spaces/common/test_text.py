"""How reports word intervals and counts."""

from __future__ import annotations

import json
import math

from search_spaces.common.text import align_facts, pluralise
from studies.statistics.intervals import Estimate


def test_accuracies_have_an_interval_where_there_is_one():
    assert Estimate(0.8852, 0.8632, 0.9072, 3).percent == "88.5 ± 2.2 %"
    assert Estimate(0.8852, -math.inf, math.inf, 1).percent == "88.5 %"


def test_an_estimate_is_json_without_infinities():
    found = Estimate(0.5, -math.inf, 0.75, 2).to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == {"value": 0.5, "low": None, "high": 0.75, "n": 2}


def test_one_thing_is_singular():
    assert (pluralise(1, "seed"), pluralise(3, "seed"), pluralise(0, "epoch")) == ("1 seed", "3 seeds", "0 epochs")


def test_texts_stand_in_one_column():
    assert align_facts({"reward": "0.9", "": "of the proxy"}) == "reward  0.9\n        of the proxy"
