"""Mutants and walks stay in the band, whatever the space."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import search_spaces as ss
from search_spaces.spaces.mutation import MAX_CHANGES, inside, into_band, mutants

SMALL = ss.space("small", resolution=28)
BAND = (60_000_000, 70_000_000)
WITHIN = {"macs": BAND}


def small_arch(choice: ss.Choice) -> ss.Arch:
    encoding = np.zeros(len(SMALL.radices), dtype=np.int64)
    encoding[:3] = [choice["a"], choice["b"], choice["c"]]
    return SMALL.decode(SMALL.choice(encoding))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_mutants_lie_in_the_band_a_few_changes_away(seed: int):
    rng = np.random.default_rng(seed)
    parents = SMALL.sample(rng, 3, macs=BAND)
    found = mutants(SMALL, rng, parents, 200, WITHIN)
    changes = (found[:, None] != parents).sum(axis=2).min(axis=1)
    assert inside(SMALL, found, WITHIN).all()
    assert changes.max(initial=0) <= MAX_CHANGES


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_walk_ends_in_the_band(seed: int):
    rng = np.random.default_rng(seed)
    reached = into_band(SMALL, rng, SMALL.sample(rng, 1)[0], WITHIN)
    assert reached is None or inside(SMALL, reached[None], WITHIN)[0]


def test_most_walks_arrive():
    rng = np.random.default_rng(0)
    reached = [into_band(SMALL, rng, row, WITHIN) for row in SMALL.sample(rng, 20)]
    assert sum(row is not None for row in reached) >= 15


def test_a_network_in_the_band_stays_where_it_is():
    rng = np.random.default_rng(1)
    row = SMALL.sample(rng, 1, macs=BAND)[0]
    assert into_band(SMALL, rng, row, WITHIN) is row
    assert into_band(SMALL, rng, row, None) is row


def test_plain_and_staged_spaces_agree_on_what_is_inside():
    radices = SMALL.radices[:3]
    plain = ss.Space("few", {name: range(radix) for name, radix in zip("abc", radices, strict=True)}, small_arch)
    rows = plain.sample(np.random.default_rng(2), 30)
    whole = np.concatenate([rows, np.zeros((30, len(SMALL.radices) - 3), dtype=np.int64)], axis=1)
    middle = int(np.median(SMALL.costs(whole).macs))
    assert (plain.inside(rows, (0, middle)) == SMALL.inside(whole, (0, middle))).all()


def test_a_space_of_one_encoding_has_no_mutants():
    space = ss.Space("one", {"a": (1,)}, dict)
    assert len(mutants(space, np.random.default_rng(0), np.zeros((1, 1), dtype=np.int64), 5)) == 0


def test_mutants_without_a_band_are_all_there():
    rng = np.random.default_rng(3)
    assert len(mutants(SMALL, rng, SMALL.sample(rng, 2), 50)) == 50
    with pytest.raises(ValueError, match=r"\(5, 1\)"):
        mutants(SMALL, rng, SMALL.sample(rng, 2), 5, {"macs": (5, 1)})
