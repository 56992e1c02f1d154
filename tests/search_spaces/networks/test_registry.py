"""The rows of the operators, and a user's own in their place. Random archs of all of them are in the other suites."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from search_spaces.metrics.counts import cost
from search_spaces.metrics.tables import operator_name, stage_table
from search_spaces.networks.arch import Arch, Stage
from search_spaces.networks.layers import sections
from search_spaces.networks.registry import OPERATORS, operator
from search_spaces.resizing.matching import TOLERANCE, solve
from search_spaces.resizing.strategy import COMPOUND, DEPTH
from search_spaces.spaces.stage_choices import StageChoices
from search_spaces.spaces.staged import StagedSpace

OWN = "outside_operator:CHEAP"


@pytest.mark.parametrize("name", [*OPERATORS, OWN])
def test_a_row_says_what_its_code_does(name: str) -> None:
    row = operator(name)
    expanded = [6.0] if row.expands else []
    for expansion in (1.0, *expanded):
        stage = Stage(name, kernel=5, stride=2, channels=24, layers=2, expansion=expansion, se=0.25, skip="projection")
        arch = Arch((Stage("conv", 3, 1, 16, 1), stage), stem=8, head=0, resolution=15, classes=3)
        first, second = sections(arch).stages[1]
        assert (first.parts[-1].out_channels, first.out_size) == (24, 4)
        assert (second.parts[-1].out_channels, second.out_size) == (24, 4)
        assert (first.activation is not None) == row.activated_after
        if row.unexpanded and expansion == 1:
            other = arch.replace(stages=(arch.stages[0], Stage(row.unexpanded, 5, 2, 24, 2, 1, 0.25, "projection")))
            assert (other.key, cost(other)) == (arch.key, cost(arch))
    if not row.expands:
        with pytest.raises(ValueError, match="expansion"):
            Stage(name, 3, 1, 8, 1, expansion=2.0)
    assert operator_name(Stage(name, 3, 1, 8, 1)).startswith(row.label)


def test_labels_are_different() -> None:
    assert len({row.label for row in OPERATORS.values()}) == len(OPERATORS)


def cheap(expansion: float = 2.0) -> Arch:
    stages = (Stage("conv", 3, 2, 16, 1), Stage(OWN, 3, 2, 24, 2, expansion), Stage(OWN, 5, 1, 40, 3, expansion))
    return Arch(stages, stem=16, head=64, resolution=32, classes=10, name="cheap")


def test_a_users_operator_costs_what_its_convolutions_cost() -> None:
    """By hand: 1x1 from 8 to 48 channels on 8 px, depthwise 3x3 on 4 px, 1x1 to 12 on 4 px; a norm each."""
    arch = Arch((Stage(OWN, 3, 2, 12, 1, 6.0, skip="none"),), stem=8, head=0, resolution=8, classes=2, stem_stride=1)
    rest = arch.replace(stages=(Stage("conv", 1, 2, 12, 1, skip="none"),))
    macs = 8 * 48 * 64 + 9 * 48 * 16 + 48 * 12 * 16
    params = 8 * 48 + 9 * 48 + 48 * 12 + 2 * (48 + 48 + 12)
    assert cost(arch).macs - cost(rest).macs == macs - 8 * 12 * 16
    assert cost(arch).params - cost(rest).params == params - (8 * 12 + 2 * 12)


def test_a_users_operator_is_saved_tabled_and_scaled(tmp_path: Path) -> None:
    arch = cheap()
    arch.save(tmp_path / "cheap.json")
    assert Arch.load(tmp_path / "cheap.json") == arch
    assert "Cheap2 k3" in stage_table(arch)
    for strategy in (COMPOUND, DEPTH):
        found = solve(arch, strategy, 2 * cost(arch).macs)
        assert found.macs == cost(found.arch).macs
        assert abs(found.miss) <= 3 * TOLERANCE
        assert [stage.op for stage in found.arch.stages] == [stage.op for stage in arch.stages]


def test_a_users_operator_is_a_choice_of_a_space() -> None:
    choices = StageChoices(
        stride=2,
        op=(OWN, f"{OWN}:2", f"{OWN}:6", "mbconv6"),
        kernel=(3, 5),
        se=(0.0,),
        skip=("identity", "none"),
        filters=(1.0, 1.5),
        layers=(1, 2),
        channels=(16, 24),
    )
    reference = Arch((Stage("conv", 3, 2, 16, 1),) * 2, stem=8, head=32, resolution=16, classes=10)
    space = StagedSpace("cheap", (choices, choices), reference)
    drawn = space.sample(np.random.default_rng(0), 50, of="networks")
    assert {label.rpartition(":")[2] for label in space.choices["stage1.op"]} == {"CHEAP", "2", "6", "mbconv6"}
    archs = [space.decode(space.choice(row)) for row in drawn]
    assert {stage.expansion for arch in archs for stage in arch.stages if stage.op == OWN} == {1.0, 2.0, 6.0}
    assert [cost(arch).macs for arch in archs] == space.costs(drawn).macs.tolist()
    for row, arch in zip(drawn, archs, strict=True):
        np.testing.assert_array_equal(space.find(arch), space.canonical(row))


WRONG = """
from search_spaces.networks.blocks import conv_norm
NUMBER = 3


def one_argument(stage):
    return ()


def as_list(stage, site):
    return [conv_norm(site.name, site.in_channels, stage.channels, site.in_size, kernel=1, stride=site.stride)]


def nothing(stage, site):
    return ()


def no_stride(stage, site):
    return (conv_norm(site.name, site.in_channels, stage.channels, site.in_size, kernel=1),)


def other_input(stage, site):
    return (conv_norm(site.name, 5, stage.channels, site.in_size, kernel=1, stride=site.stride),)


def other_channels(stage, site):
    return (conv_norm(site.name, site.in_channels, 5, site.in_size, kernel=1, stride=site.stride),)


def same_names(stage, site):
    first = conv_norm(f"{site.name}.one", site.in_channels, 5, site.in_size, kernel=1, stride=site.stride)
    return first, conv_norm(f"{site.name}.one", 5, stage.channels, first.out_size, kernel=1)


def other_names(stage, site):
    return (conv_norm("mine", site.in_channels, stage.channels, site.in_size, kernel=1, stride=site.stride),)


def broken(stage, site):
    return stage.chanels
"""


@pytest.mark.parametrize(
    "attribute",
    [
        *("NUMBER", "missing", "one_argument", "as_list", "nothing", "no_stride", "other_input", "other_channels"),
        *("same_names", "other_names", "broken"),
    ],
)
def test_what_is_no_operator_is_refused_in_one_line(
    attribute: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "triaxis_tests_wrong_operators.py").write_text(WRONG)
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"triaxis_tests_wrong_operators:{attribute}"
    with pytest.raises(ValueError, match=f"operator {name}") as error:
        cost(Arch((Stage(name, 3, 2, 12, 1),), stem=8, head=0, resolution=8, classes=2))
    assert "\n" not in str(error.value)
