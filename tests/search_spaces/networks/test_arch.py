"""Arch and Stage: validation, JSON, and the key that names a network."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.networks.arch import Arch, Stage
from search_spaces.networks.blocks import Layer
from search_spaces.networks.layers import walk
from search_spaces.zoo.registry import get

STAGE = Stage("mbconv", kernel=3, stride=2, channels=24, layers=2, expansion=6)
ONE_LINE = r"\A[^\n]+\Z"
ARCH = Arch(stages=(STAGE,), stem=16, head=64, resolution=32, classes=10)


def unnamed(arch: Arch) -> list[Layer]:
    return [dataclasses.replace(layer, name="") for layer in walk(arch)]


@given(st.from_type(Arch))
def test_json_gives_the_same_arch_back(arch: Arch) -> None:
    assert Arch.from_json(arch.to_json()) == arch


@given(st.from_type(Arch))
def test_canonical_form_is_the_same_network_and_final(arch: Arch) -> None:
    canonical = arch.canonical()
    assert unnamed(canonical) == unnamed(arch)
    assert canonical.canonical() == canonical
    assert canonical.key == arch.key


@given(st.from_type(Arch), st.from_type(Arch))
def test_archs_of_one_key_are_one_network(first: Arch, second: Arch) -> None:
    if first.key == second.key:
        assert unnamed(first) == unnamed(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"op": "mbconv", "expansion": 1}, {"op": "sepconv"}),
        ({"expansion": 6}, {"expansion": 6.0}),
        ({"layers": 1, "skip": "identity"}, {"layers": 1, "skip": "none"}),  # stride 2: no residual possible
        ({"stride": 1, "channels": 16, "skip": "pool"}, {"stride": 1, "channels": 16, "skip": "identity"}),
        ({"stride": 1, "channels": 16, "skip": "projection"}, {"stride": 1, "channels": 16, "skip": "identity"}),
        ({"op": "fused", "expansion": 1}, {"op": "conv"}),
        ({"op": "basic", "layers": 1, "skip": "identity"}, {"op": "conv", "layers": 2, "skip": "none"}),
        ({"op": "basic", "layers": 2, "skip": "none"}, {"op": "conv", "layers": 4, "skip": "none"}),
    ],
)
def test_two_descriptions_of_one_network_share_their_key(first: dict[str, object], second: dict[str, object]) -> None:
    base: dict[str, object] = {"op": "mbconv", "kernel": 3, "stride": 2, "channels": 24, "layers": 2, "skip": "pool"}
    one, two = (ARCH.replace(stages=(Stage(**{**base, **changes}),)) for changes in (first, second))  # type: ignore[arg-type]
    assert one.key == two.key
    assert unnamed(one) == unnamed(two)


@pytest.mark.parametrize(
    "changes",
    [
        {"stem": 24},
        {"head": 128},
        {"head": 0},
        {"stem_kernel": 7},
        {"stem_pool": 2},
        {"resolution": 33},
        {"classes": 11},
        {"activation": "silu"},
        {"stem_stride": 1},
        {"in_channels": 1},
        {"norm_eps": 1e-3},
        {"stages": (dataclasses.replace(STAGE, skip="pool"),)},
        {"stages": (dataclasses.replace(STAGE, skip="projection"),)},
        {"stages": (dataclasses.replace(STAGE, op="fused"),)},
        {"stages": (dataclasses.replace(STAGE, op="bottleneck"),)},
        {"stages": (dataclasses.replace(STAGE, op="basic", expansion=1),)},
        {"stages": (dataclasses.replace(STAGE, op="dwsep", expansion=1),)},
        {"stages": (dataclasses.replace(STAGE, se=0.25),)},
    ],
)
def test_every_change_of_the_network_changes_its_key(changes: dict[str, object]) -> None:
    assert ARCH.replace(**changes).key != ARCH.key


def test_the_name_is_no_part_of_the_key() -> None:
    assert ARCH.replace(name="mine").key == ARCH.key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("efficientnet_b0", "f6f94f6c75bc38c8"),
        ("efficientnet_l2", "262a4be146702bd7"),
        ("mnasnet_a1", "3e9821c9e4785398"),
        ("mobilenet_v2", "f5e681c3b7ab04f9"),
        ("triaxis_small", "141545961f071cb1"),
    ],
)
def test_keys_stay_what_they_are_because_ledgers_hold_them(name: str, key: str) -> None:
    assert get(name).key == key


def test_the_key_of_an_arch_of_ones_own_stays_too() -> None:
    stages = (STAGE, Stage("conv", kernel=5, stride=1, channels=24, layers=1, se=0.25, skip="pool"))
    assert ARCH.replace(stages=stages).key == "8a999f37348cd843"


def test_files_say_nothing_of_fields_that_older_versions_lack_unless_they_are_needed() -> None:
    assert set(json.loads(ARCH.to_json())) == {
        "format",
        "stages",
        "stem",
        "head",
        "resolution",
        "classes",
        "activation",
        "stem_stride",
        "in_channels",
        "norm_eps",
        "name",
    }
    assert json.loads(ARCH.replace(stem_pool=2).to_json())["stem_pool"] == 2


@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnetv2_s", "mobilenet_v1", "resnet50"])
def test_total_stride_of_published_networks_is_32(name: str) -> None:
    assert get(name).total_stride == 32


def test_widths_are_those_of_stem_stages_and_head_if_any() -> None:
    assert ARCH.widths == (16, 24, 64)
    assert get("resnet50").widths == (64, 256, 512, 1024, 2048)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"op": "mbcov"}, ("'mbcov'", "'mbconv'")),
        ({"op": 5}, ("op", "'5'")),
        ({"skip": "residual"}, ("skip", "'residual'")),
        ({"kernel": 4}, ("kernel", "4")),
        ({"stride": 0}, ("stride", "1", "0")),
        ({"channels": 8.0}, ("channels", "1", "8.0")),
        ({"layers": True}, ("layers", "1", "True")),
        ({"expansion": 0.5}, ("expansion", "1", "0.5")),
        ({"expansion": float("nan")}, ("expansion", "1", "nan")),
        ({"op": "conv", "expansion": 6}, ("mbconv, fused, bottleneck", "expansion", "6", "conv")),
        ({"se": 1.5}, ("se", "0", "1", "1.5")),
    ],
)
def test_a_wrong_stage_is_refused_in_one_line(changes: dict[str, object], named: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=ONE_LINE) as error:
        Stage(**{**dataclasses.asdict(STAGE), **changes})  # type: ignore[arg-type]
    assert all(name in str(error.value) for name in named)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"stages": ()}, ("stage", "none")),
        ({"stages": [STAGE]}, ("stages", "tuple")),
        ({"resolution": -1}, ("resolution", "1", "-1")),
        ({"activation": "swish"}, ("activation", "'swish'")),
        ({"norm_eps": 0.0}, ("norm_eps", "0.0")),
        ({"head": -1}, ("head", "0", "-1")),
        ({"stem_kernel": 4}, ("stem_kernel", "4")),
        ({"stem_pool": 0}, ("stem_pool", "1", "0")),
    ],
)
def test_a_wrong_arch_is_refused_in_one_line(changes: dict[str, object], named: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=ONE_LINE) as error:
        ARCH.replace(**changes)
    assert all(name in str(error.value) for name in named)


def test_save_and_load_leave_nothing_else_behind(tmp_path: Path) -> None:
    path = tmp_path / "best.json"
    ARCH.save(path)
    assert Arch.load(path) == ARCH
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "JSON"),
        ("[]", "JSON"),
        ('{"stages": []}', '"format"'),
        (json.dumps({"format": "triaxis-arch-1"}), "'stages'"),
        (ARCH.to_json().replace("head", "heads"), "heads"),
        (ARCH.to_json().replace('"kernel": 3', '"kernel": 2'), "kernel"),
    ],
)
def test_a_file_without_an_arch_is_refused_with_its_name(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=ONE_LINE) as error:
        Arch.load(path)
    assert named in str(error.value)
    assert str(path) in str(error.value)


def test_missing_binary_and_directory_are_refused_with_their_names(tmp_path: Path) -> None:
    (tmp_path / "binary.json").write_bytes(bytes(range(256)))
    for path in (tmp_path / "missing.json", tmp_path / "binary.json", tmp_path):
        with pytest.raises(ValueError, match=str(path)):
            Arch.load(path)
