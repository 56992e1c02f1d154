"""The published networks by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from search_spaces.metrics.counts import cost
from search_spaces.resizing.stages import scale_depth, scale_width
from search_spaces.zoo.efficientnet import B0, PUBLISHED
from search_spaces.zoo.registry import find, get, names


def test_the_names() -> None:
    first = [f"efficientnet_{size}" for size in (*(f"b{index}" for index in range(9)), "l2")]
    second = [f"efficientnetv2_{size}" for size in ("b0", "b1", "b2", "b3", "s", "m", "l", "xl")]
    resnets = [f"resnet{depth}" for depth in (18, 34, 50, 101, 152)]
    others = {"mnasnet_a1", "mnasnet_b1", "mobilenet_v1", "mobilenet_v2", "triaxis_small"}
    assert set(names()) == {*first, *second, *resnets, *others}


@pytest.mark.parametrize("name", names())
def test_every_network_carries_its_name(name: str) -> None:
    assert get(name).name == name
    assert get(name) == get(name)


def test_all_networks_differ() -> None:
    assert len({get(name).key for name in names()}) == len(names())


# EN, Table 2 and the authors' code: input resolution.
@pytest.mark.parametrize(
    ("name", "resolution"),
    list(zip(PUBLISHED, (224, 240, 260, 300, 380, 456, 528, 600, 672, 800), strict=True)),
)
def test_published_resolutions(name: str, resolution: int) -> None:
    assert get(name).resolution == resolution


# Stage widths and layers of B7 as torchvision 0.29.1 builds them.
def test_b7_s_stages() -> None:
    b7 = get("efficientnet_b7")
    assert [stage.channels for stage in b7.stages] == [32, 48, 80, 160, 224, 384, 640]
    assert [stage.layers for stage in b7.stages] == [4, 7, 7, 10, 10, 13, 4]
    assert (b7.stem, b7.head) == (64, 2560)


# V2: the base networks round to the nearest multiple of 8; with EN's rule B3's first stage would have 24 channels.
def test_v2_b3_s_stages() -> None:
    b3 = get("efficientnetv2_b3")
    assert [stage.channels for stage in b3.stages] == [16, 40, 56, 112, 136, 232]
    assert [stage.layers for stage in b3.stages] == [2, 3, 3, 5, 7, 12]
    assert (b3.stem, b3.head) == (40, 1536)


def test_our_own_network_is_for_small_images_and_takes_a_class_count() -> None:
    own = get("triaxis_small")
    assert 8 <= own.resolution <= 32
    assert own.total_stride <= own.resolution
    assert cost(own.replace(classes=100)).params - cost(own).params == (100 - own.classes) * (own.head + 1)


def test_a_member_is_b0_scaled_by_its_row() -> None:
    b3 = scale_depth(scale_width(B0, 1.2), 1.4).replace(resolution=300, name="efficientnet_b3")
    assert get("efficientnet_b3") == b3


def test_a_users_network_is_an_arch_or_a_function_that_returns_one(outside: Path) -> None:
    (outside / "outside_networks.py").write_text(
        "from search_spaces.zoo.registry import get\n"
        "ARCH = get('mobilenet_v2').replace(name='mine')\n"
        "def made(): return ARCH.replace(head=640)\n"
        "NUMBER = 3\n"
        "def number(): return 3\n"
    )
    assert get("outside_networks:ARCH").key == find("outside_networks:ARCH").key == get("mobilenet_v2").key
    assert get("outside_networks:made").head == 640
    for name in ("NUMBER", "number", "mad"):
        with pytest.raises(ValueError, match=f"network outside_networks:{name}"):
            find(f"outside_networks:{name}")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("efficientnet-b0", "'efficientnet_b0'"),
        ("MobileNet_V2", "'mobilenet_v2'"),
        ("mnasnet", "'mnasnet_"),
        ("vgg", "efficientnet_b0, .*, resnet50"),
        ("", "efficientnet_b0, .*, resnet50"),
    ],
)
def test_an_unknown_name_is_answered_by_the_near_one_or_all(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}'.*{hint}"):
        get(name)
