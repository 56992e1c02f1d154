"""What only plain spaces do, spaces by name, and `Count`."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from search_spaces.counting.band import Count
from search_spaces.networks.arch import Arch, Stage
from search_spaces.spaces.registry import SPACES, space
from search_spaces.spaces.space import Space


def table_row(choice: Any) -> tuple[Any, ...]:
    return tuple(choice.values())


@pytest.fixture
def table() -> Space:
    return Space("table", {"colour": ("red", "blue"), "size": (1, 2.5, None), "one": ("only",)}, table_row)


def test_a_table_has_no_costs(table: Space) -> None:
    with pytest.raises(ValueError, match="table.*tuple.*Arch"):
        table.sample(np.random.default_rng(0), 1, macs=(1, 2))


def test_a_table_counts_its_rows(table: Space) -> None:
    assert table.networks == table.size == 6
    drawn = table.sample(np.random.default_rng(0), 600, of="networks")
    assert sorted(np.unique(drawn, axis=0, return_counts=True)[1] > 60) == [True] * 6


def test_plain_networks_are_counted_by_key() -> None:
    """With stride 2 and one layer, identity is none: 2 of 3 skips differ; with two layers all 3 do."""

    def decode(choice: Any) -> Arch:
        stage = Stage("mbconv", choice["kernel"], 2, 8, choice["layers"], 3, skip=choice["skip"])
        return Arch(stages=(stage,), stem=8, head=32, resolution=16)

    plain = Space("plain", {"kernel": (3, 5), "layers": (1, 2), "skip": ("identity", "none", "pool")}, decode)
    assert plain.size == 12
    assert plain.networks == plain.count(of="networks") == 2 * (2 + 3)
    drawn = plain.sample(np.random.default_rng(0), 1000, of="networks")
    rows, times = np.unique(drawn, axis=0, return_counts=True)
    assert len({plain.key(plain.choice(row)) for row in rows}) == len(rows) == 10
    assert times.min() > 60


def test_large_plain_spaces_refuse_to_enumerate() -> None:
    large = Space("large", {f"c{i}": (3, 5) for i in range(40)}, table_row)
    assert large.size == 2**40
    assert large.sample(np.random.default_rng(0), 5).shape == (5, 40)
    for ask in (
        lambda: large.count(of="networks"),
        lambda: large.count(macs=(1, 2)),
        lambda: large.sample(np.random.default_rng(0), 1, of="networks"),
    ):
        with pytest.raises(ValueError, match=str(2**40)):
            ask()


@pytest.mark.parametrize(
    ("choices", "named"),
    [({}, "empty"), ({"a": ()}, "choice a .*empty"), ({"a": (3, 5, 3.0)}, r"choice a .*empty.*\[3, 5, 3\.0\]")],
)
def test_choices_need_different_values(choices: dict[str, tuple[Any, ...]], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Space("empty", choices, table_row)


def test_a_single_encoding_cannot_be_mutated() -> None:
    with pytest.raises(ValueError, match="one"):
        Space("one", {"a": (1,)}, table_row).mutate(np.random.default_rng(0), [0])


def test_count_is_an_integer_with_bounds() -> None:
    count = Count(90, 110, "networks")
    assert count == 100
    assert not count.exact
    assert f"{count:,} {count}" == "100 100"
    assert repr(count) == "Count(100, lower=90, upper=110, of='networks')"
    assert repr(Count(7, 7, "encodings")) == "Count(7, exact, of='encodings')"
    copy = pickle.loads(pickle.dumps(count))
    assert (copy, copy.lower, copy.upper, copy.of) == (100, 90, 110, "networks")
    assert json.dumps(count) == "100"


def test_spaces_by_name() -> None:
    assert [space(name).name for name in SPACES] == list(SPACES)
    with pytest.raises(ValueError, match="'mnasnett'.*'mnasnet'"):
        space("mnasnett")
    with pytest.raises(ValueError, match="^resolutoin .*small.*28.*'resolution'"):
        space("small", resolutoin=28)


def test_spaces_import_no_torch() -> None:
    code = "import sys; import search_spaces as ss; ss.space('mnasnet').reach('macs'); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "torchvision", "pandas", "scipy", "fvcore"} & set(loaded)
