"""The rows of the metrics, and a user's own in their place. Bands of metrics are in spaces/test_within.py."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import search_spaces as ss
from search_spaces.metrics.compute import compute, compute_all
from search_spaces.metrics.registry import METRICS
from search_spaces.networks.arch import Arch
from search_spaces.networks.layers import walk

OWN = "outside_metric:fives"
COMPUTED = [row.name for row in METRICS.values() if not row.is_measured]


@given(st.from_type(Arch))
def test_values_are_whole_numbers_whose_text_is_read_back(arch: Arch) -> None:
    found = compute_all(arch, also=[OWN])
    assert list(found) == [*COMPUTED, OWN]
    for name, value in found.items():
        row = METRICS.row(name)
        assert isinstance(value, int)
        assert value == compute(name, arch) >= 0
        assert row.parse(row.format(value)) == value
        assert row.label


@given(st.from_type(Arch))
def test_a_users_metric_is_the_sum_over_blocks(arch: Arch) -> None:
    assert compute(OWN, arch) == sum(layer.kind == "conv" and layer.kernel == 5 for layer in walk(arch))


def test_a_users_metric_has_bands() -> None:
    space = ss.space("small")
    low, high, exact = space.reach(OWN)
    assert (low, exact) == (0, True)
    drawn = space.sample(np.random.default_rng(0), 50, within={OWN: (2, 4)})
    archs = [space.decode(space.choice(row)) for row in drawn]
    assert {compute(OWN, arch) for arch in archs} == {2, 3, 4}
    with pytest.raises(ValueError, match="fives"):
        space.sample(np.random.default_rng(0), 1, within={OWN: (high + 1, None)})
