"""Which networks are controls, and what they become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import search_spaces as ss
from nas.controls.choose import REFERENCE, choose
from nas.controls.control import Controls
from nas.region import SearchRegion
from nas.search.config import SearchConfig
from search_spaces.resizing.shrink import last_map

TARGET = 60_000_000


def region(**settings: Any) -> SearchRegion:
    settings = {"target_flops": "60M", "space": "small", "resolution": 28, **settings}
    return SearchRegion.of(SearchConfig(**settings), 10)


def chosen(*names: str, random: int = 0, of: SearchRegion | None = None, **settings: Any) -> Controls:
    return choose(of or region(), settings.pop("target", TARGET), names, random, **settings)


def keys(controls: Controls) -> list[str]:
    return [control.arch.key for control in controls.all]


def test_the_default_ones_are_published_networks_and_the_spaces_reference():
    controls = chosen()
    assert [control.name for control in controls.all] == ["mobilenet_v2", "mnasnet_a1", "efficientnet_b0", REFERENCE]
    for control in controls.all:
        assert (control.arch.resolution, control.arch.classes) == (28, 10)
        assert ss.cost(control.arch).macs == control.value
        assert control.ratio == pytest.approx(1, abs=0.03)
        assert last_map(control.arch) >= 4
    assert not controls.left_out
    # Each keeps its own activation.
    assert [control.arch.activation for control in controls.all] == ["relu6", "relu", "silu", "relu6"]


def test_equal_networks_count_once():
    controls = chosen(of=region(space="mnasnet", resolution=224, target_flops="300M"), target=300_774_272 - 990 * 1280)
    # MobileNetV2 with 10 classes, which the space varies: 990 * 1280 multiply-adds less than with 1000.
    first, *others = controls.all
    assert first.title == f"mobilenet_v2 ({REFERENCE})"
    assert first.ratio == pytest.approx(1, abs=0.01)
    assert [control.name for control in others] == ["mnasnet_a1", "efficientnet_b0"]
    assert len(chosen("resnet18", "resnet18").known) == 2


def test_none_are_none():
    assert chosen("none") == Controls()


def test_an_arch_file_can_be_a_control(tmp_path: Path):
    (tmp_path / "mine.json").write_text(ss.get("mobilenet_v1").to_json())
    mine, _ = chosen(str(tmp_path / "mine.json")).all
    (published, _) = chosen("mobilenet_v1").all
    assert mine.arch.key == published.arch.key


def test_random_ones_lie_in_the_region_and_the_first_stay_the_same():
    where = region(max_params="1M")
    few, many = (chosen("none", random=number, of=where) for number in (2, 5))
    assert keys(many)[:2] == keys(few)
    assert len(set(keys(many))) == 5
    for control in many.all:
        assert control.is_random
        assert 48_000_000 <= ss.cost(control.arch).macs <= 63_000_000
        assert ss.cost(control.arch).params <= 1_000_000
    assert keys(chosen("none", random=2, of=where, seed=1)) != keys(few)


def test_controls_over_a_limit_are_left_out_unless_they_are_named():
    # A ResNet-18 of 60M at 28 px has far more than 100,000 parameters.
    where = region(max_params="500K")
    controls = chosen(of=where)
    assert "500K" in controls.left_out["efficientnet_b0"]
    assert "efficientnet_b0" not in [control.name for control in controls.all]
    with pytest.raises(ValueError, match="efficientnet_b0.*500K"):
        chosen("efficientnet_b0", of=where)


@pytest.mark.parametrize(
    ("name", "fragment"),
    [("mobilenet_v3", "mobilenet_v[12]"), ("nowhere.json", "nowhere"), ("none_such:net", "none_such")],
)
def test_unknown_ones_are_refused(name: str, fragment: str):
    with pytest.raises(ValueError, match=rf"--controls {name}.*{fragment}") as error:
        chosen(name)
    assert "\n" not in str(error.value)


def test_one_that_cannot_reach_the_target_is_refused():
    with pytest.raises(ValueError, match="resnet152.*3%"):
        chosen("resnet152", target=100_000)


def test_a_further_problem_is_one_too():
    assert chosen(problem=lambda _: "too large").left_out["mnasnet_a1"] == "too large"
    with pytest.raises(ValueError, match="mnasnet_a1: too large"):
        chosen("mnasnet_a1", problem=lambda _: "too large")
