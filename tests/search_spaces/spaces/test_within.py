"""Bands of several metrics at once, against brute force over all encodings of a small space."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

import search_spaces as ss
from search_spaces.metrics.compute import Conditions, compute
from search_spaces.metrics.memory import inference_memory, training_memory
from search_spaces.metrics.registry import METRICS, Metric
from search_spaces.networks.blocks import Block, Classifier
from search_spaces.spaces.space import Space
from search_spaces.spaces.staged import StagedSpace
from tests.search_spaces.spaces.small import small_staged_space

SPACE = small_staged_space()
EVERY = np.indices(SPACE.radices).reshape(len(SPACE.radices), -1).T
TABULATED = [name for name, row in METRICS.items() if row.is_tabulated]


def count_of_5x5(block: Block | Classifier) -> int:
    return sum(layer.kind == "conv" and layer.kernel == 5 for layer in block.layers)


FIVES = Metric(name="fives", code=f"{__name__}:count_of_5x5", label="5x5 convolutions", source="a test's")
OWN = f"{__name__}:FIVES"


def brute_force(metric: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([compute(metric, SPACE.decode(SPACE.choice(row))) for row in EVERY])


@pytest.fixture(scope="module")
def values() -> dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    return {name: brute_force(name) for name in [*TABULATED, OWN]}


@pytest.fixture(scope="module")
def first() -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which encodings are the first of their network."""
    canonical = SPACE.canonical(EVERY)
    return (canonical == EVERY).all(axis=1)


@pytest.mark.parametrize("metric", [*TABULATED, OWN])
def test_values_and_reach_from_tables_are_those_of_each_network(metric: str, values: dict[str, Sequence[int]]) -> None:
    np.testing.assert_array_equal(SPACE.values(EVERY, metric), values[metric])
    assert SPACE.reach(metric) == (min(values[metric]), max(values[metric]), True)


def test_memory_from_tables_is_the_memory_models() -> None:
    space = ss.space("mnasnet", resolution=64)
    rows = space.sample(np.random.default_rng(3), 20)
    archs = [space.decode(space.choice(row)) for row in rows]
    assert space.values(rows, "inference_memory").tolist() == [inference_memory(arch, 1).total for arch in archs]
    given_batch = Conditions(batch_size=8, optimizer="rmsprop", ema=True)
    expected = [training_memory(arch, 8, optimizer="rmsprop", ema=True).total for arch in archs]
    assert [compute("training_memory", arch, given_batch) for arch in archs] == expected


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_networks_within_bands_are_counted_and_drawn(
    values: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]],
    first: np.ndarray[tuple[int], np.dtype[np.bool_]],
    data: st.DataObject,
) -> None:
    names = data.draw(st.lists(st.sampled_from([*TABULATED, OWN]), min_size=1, max_size=3, unique=True))
    of = data.draw(st.sampled_from(["encodings", "networks"]))
    within = {}
    member = first.copy() if of == "networks" else np.ones(len(EVERY), dtype=bool)
    for name in names:
        ends = data.draw(st.lists(st.sampled_from(sorted(set(values[name].tolist()))), min_size=2, max_size=2))
        low, high = min(ends), max(ends)
        within[name] = (data.draw(st.sampled_from([low, None])), high)
        member &= (values[name] <= high) & (values[name] >= (within[name][0] or 0))
    counted = SPACE.count(within=within, of=of)
    # An estimate's interval holds the number with 99 %; so wide a margin fails never by chance.
    spread = 2 * (counted.upper - counted.lower)
    assert counted.lower - spread <= member.sum() <= counted.upper + spread
    if member.any():
        drawn = SPACE.sample(np.random.default_rng(1), 50, within=within, of=of)
        assert SPACE.inside(drawn, within=within).all()
        assert {row.tobytes() for row in drawn} <= {row.astype(np.int64).tobytes() for row in EVERY[member]}
    else:
        with pytest.raises(ValueError, match=METRICS.row(names[0]).label):
            SPACE.sample(np.random.default_rng(1), 1, within=within, of=of)


@pytest.mark.parametrize("metrics", [("macs", "params"), ("macs", "inference_memory"), ("params", OWN)])
def test_draws_are_uniform_within_several_bands(
    metrics: tuple[str, str],
    values: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]],
    first: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> None:
    within = {name: (None, int(np.quantile(values[name], 0.35))) for name in metrics}
    member = first & np.all([values[name] <= high for name, (_, high) in within.items()], axis=0)
    drawn = SPACE.sample(np.random.default_rng(5), 40 * int(member.sum()), within=within, of="networks")
    order = {row.astype(np.int64).tobytes(): place for place, row in enumerate(EVERY[member])}
    seen = np.bincount([order[row.tobytes()] for row in drawn], minlength=len(order))
    assert chisquare(seen).pvalue > 1e-4


def test_a_plain_space_and_a_staged_one_agree(values: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]]) -> None:
    plain = Space("plain", SPACE.choices, SPACE.decode)
    within = {name: (None, int(np.median(values[name]))) for name in ("params", "inference_memory")}
    np.testing.assert_array_equal(plain.inside(EVERY, within=within), SPACE.inside(EVERY, within=within))
    exact = plain.count(within=within)
    assert exact.exact
    assert SPACE.count(within=within).lower <= exact <= SPACE.count(within=within).upper
    assert plain.reach("params") == SPACE.reach("params")
    assert plain.inside(plain.sample(np.random.default_rng(0), 40, within=within), within=within).all()


def test_a_metric_without_a_table_is_checked_network_by_network() -> None:
    memory = [training_memory(SPACE.decode(SPACE.choice(row)), 1).total for row in EVERY[:: len(EVERY) // 200]]
    within = {"training_memory": (None, int(np.median(memory))), "macs": (None, SPACE.reach("macs").high)}
    drawn = SPACE.sample(np.random.default_rng(0), 30, within=within)
    found = [training_memory(SPACE.decode(SPACE.choice(row)), 1).total for row in drawn]
    assert max(found) <= within["training_memory"][1]
    assert not SPACE.reach("training_memory").exact


def test_memory_in_training_is_computed_under_the_spaces_conditions() -> None:
    conditions = Conditions(batch_size=32, optimizer="rmsprop", ema=True)
    space = pickle.loads(pickle.dumps(SPACE.under(conditions)))
    arch = SPACE.decode(SPACE.choice(EVERY[7]))
    found = [given.values(EVERY[7][None], "training_memory")[0] for given in (SPACE, space)]
    assert found == [training_memory(arch, 1).total, training_memory(arch, 32, optimizer="rmsprop", ema=True).total]
    limit = {"training_memory": (None, int(found[1]))}
    drawn = space.sample(np.random.default_rng(0), 10, within=limit)
    assert (space.values(drawn, "training_memory") <= found[1]).all()
    assert space.count(within={"macs": (0, 10**6)}) == SPACE.count(within={"macs": (0, 10**6)})


def test_bands_that_contradict_or_name_nothing_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="twice"):
        SPACE.sample(rng, 1, macs=(0, 5), within={"macs": (0, 5)})
    with pytest.raises(ValueError, match="params"):
        SPACE.count(within={"params": (5, 1)})
    with pytest.raises(ValueError, match="did you mean 'params'"):
        SPACE.sample(rng, 1, within={"parms": (None, 5)})
    with pytest.raises(ValueError, match="step_time"):
        SPACE.sample(rng, 1, within={"step_time": (None, 5)})


def test_a_users_metric_must_return_whole_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_metric_wrong.py").write_text(
        "from search_spaces.metrics.registry import Metric\n"
        "def half(block): return 0.5\n"
        "def negative(block): return -1\n"
        "def broken(block): return block.nothing\n"
        "def one(blocks): return 1\n"
        "PEAK = Metric(name='peak', code='own_metric_wrong:one', label='peak', kind='peak')\n"
        "NUMBER = 3\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    arch = SPACE.decode(SPACE.choice(EVERY[0]))
    for name in ("half", "negative", "broken", "PEAK", "NUMBER", "nothing"):
        with pytest.raises(ValueError, match=f"own_metric_wrong:{name}"):
            compute(f"own_metric_wrong:{name}", arch)
    with pytest.raises(ValueError, match="kind"):
        Metric(name="x", code="a:b", label="x", kind="sum")  # type: ignore[arg-type]


def test_a_space_with_bands_is_pickled(tmp_path: Path) -> None:
    SPACE.count(within={"params": (None, 10**9), "macs": (None, 10**9)})
    again = pickle.loads(pickle.dumps(SPACE))
    assert isinstance(again, StagedSpace)
    assert again.reach("macs") == SPACE.reach("macs")
