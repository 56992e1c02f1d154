"""Arch and Stage: validation, JSON, and the key that names a network."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.arch import Arch, Stage
from search_spaces.catalog import get
from search_spaces.layers import walk
from search_spaces.parts import Layer

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
        {"resolution": 33},
        {"classes": 11},
        {"activation": "silu"},
        {"stem_stride": 1},
        {"in_channels": 1},
        {"norm_eps": 1e-3},
        {"stages": (dataclasses.replace(STAGE, skip="pool"),)},
        {"stages": (dataclasses.replace(STAGE, se=0.25),)},
    ],
)
def test_every_change_of_the_network_changes_its_key(changes: dict[str, object]) -> None:
    assert ARCH.replace(**changes).key != ARCH.key


def test_the_name_is_no_part_of_the_key() -> None:
    assert ARCH.replace(name="mine").key == ARCH.key


def test_keys_stay_what_they_are_because_ledgers_hold_them() -> None:
    assert get("efficientnet_b0").key == "f6f94f6c75bc38c8"


def test_total_stride_of_efficientnet_is_32() -> None:
    assert get("efficientnet_b0").total_stride == 32


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"op": "mbcov"}, "unknown op 'mbcov': did you mean 'mbconv'?"),
        ({"op": 5}, "unknown op '5'"),
        ({"skip": "residual"}, "unknown skip 'residual'"),
        ({"kernel": 4}, "a stage's kernel must be odd, got 4"),
        ({"stride": 0}, "a stage's stride must be a whole number of at least 1, got 0"),
        ({"channels": 8.0}, "a stage's channels must be a whole number of at least 1, got 8.0"),
        ({"layers": True}, "a stage's layers must be a whole number of at least 1, got True"),
        ({"expansion": 0.5}, "a stage's expansion must be at least 1, got 0.5"),
        ({"expansion": float("nan")}, "a stage's expansion must be at least 1, got nan"),
        ({"op": "conv", "expansion": 6}, "only mbconv has an expansion, got 6 for op conv"),
        ({"se": 1.5}, "a stage's se ratio must lie between 0 and 1, got 1.5"),
    ],
)
def test_a_wrong_stage_is_refused_in_one_line(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=ONE_LINE) as error:
        Stage(**{**dataclasses.asdict(STAGE), **changes})  # type: ignore[arg-type]
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stages": ()}, "at least one stage, got none"),
        ({"stages": [STAGE]}, "must be a tuple of Stage"),
        ({"resolution": -1}, "an arch's resolution must be a whole number of at least 1, got -1"),
        ({"activation": "swish"}, "unknown activation 'swish'"),
        ({"norm_eps": 0.0}, "an arch's norm_eps must be positive, got 0.0"),
    ],
)
def test_a_wrong_arch_is_refused_in_one_line(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=ONE_LINE) as error:
        ARCH.replace(**changes)
    assert message in str(error.value)


def test_save_and_load_leave_nothing_else_behind(tmp_path: Path) -> None:
    path = tmp_path / "best.json"
    ARCH.save(path)
    assert Arch.load(path) == ARCH
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("[]", "expected a JSON object"),
        ('{"stages": []}', 'expected a JSON object with "format"'),
        (json.dumps({"format": "triaxis-arch-1"}), "no arch: 'stages'"),
        (ARCH.to_json().replace("head", "heads"), "heads"),
        (ARCH.to_json().replace('"kernel": 3', '"kernel": 2'), "must be odd"),
    ],
)
def test_a_file_without_an_arch_is_refused_with_its_name(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=ONE_LINE) as error:
        Arch.load(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_missing_binary_and_directory_are_refused_with_their_names(tmp_path: Path) -> None:
    (tmp_path / "binary.json").write_bytes(bytes(range(256)))
    for path in (tmp_path / "missing.json", tmp_path / "binary.json", tmp_path):
        with pytest.raises(ValueError, match=str(path)):
            Arch.load(path)
