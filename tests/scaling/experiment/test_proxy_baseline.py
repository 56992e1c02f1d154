"""What is trained in place of a baseline that is too large for the images."""

from __future__ import annotations

import re

import pytest

import search_spaces as ss
from scaling.experiment.baseline import Baseline
from scaling.experiment.config import RESUMABLE, ExperimentConfig
from scaling.experiment.proxy_baseline import LARGE_BASELINE_MACS, ProxyBaseline
from search_spaces.common.settings import value_at
from search_spaces.networks.arch import Arch, Stage
from studies.data.config import DataConfig
from studies.workers.config import WorkersConfig

SMALL = Arch(
    stages=(Stage("sepconv", 3, 2, 16, 1), Stage("sepconv", 3, 2, 32, 1)),
    stem=8, stem_stride=1, head=64, resolution=16, classes=10, name="mine",
)  # fmt: skip


def test_a_small_baseline_is_trained_itself() -> None:
    assert ProxyBaseline().of(SMALL, pixels=28, max_resolution=1.4, classes=10) == SMALL
    assert ProxyBaseline().of(SMALL, pixels=16, max_resolution=1.0, classes=10) == SMALL


def test_it_gets_the_data_sets_classes() -> None:
    trained = ProxyBaseline().of(SMALL, pixels=28, max_resolution=1.0, classes=7)
    assert trained == SMALL.replace(classes=7, name="")


@pytest.mark.parametrize(("pixels", "growth", "side"), [(64, 2.0, 32), (64, 1.5, 42), (224, 1.0, 224), (28, 2.0, 16)])
def test_the_resolution_leaves_room_to_grow_within_the_images(pixels: int, growth: float, side: int) -> None:
    """64 / 1.5 is 42.7: the even number below. 28 / 2 is 14: not below 16."""
    b0 = ss.get("efficientnet_b0")
    assert ProxyBaseline().of(b0, pixels=pixels, max_resolution=growth, classes=10).resolution == side


def test_large_networks_become_narrower_where_they_become_smaller() -> None:
    b0 = ss.get("efficientnet_b0")
    small = ProxyBaseline(width=1.0).of(b0, pixels=32, max_resolution=1.4, classes=10)
    assert ss.cost(small).macs > LARGE_BASELINE_MACS
    trained = ProxyBaseline().of(b0, pixels=32, max_resolution=1.4, classes=10)
    assert (trained.stem, trained.head) == (8, 320)
    assert trained.name == ""
    # Its last map is 4 px at least, whatever the strides were.
    assert trained.resolution / trained.total_stride >= 4


def test_what_is_asked_for_wins() -> None:
    trained = ProxyBaseline(width=0.5, resolution=24).of(
        ss.get("mobilenet_v2"), pixels=28, max_resolution=1.4, classes=10
    )
    assert (trained.resolution, trained.stem) == (24, 16)
    assert ProxyBaseline(resolution=20).of(SMALL, pixels=28, max_resolution=1.4, classes=10).resolution == 20
    narrow = ProxyBaseline(width=0.5).of(SMALL, pixels=28, max_resolution=1.0, classes=10)
    assert (narrow.resolution, narrow.stem) == (16, 4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": -1.0}, "--proxy.width"),
        ({"width": float("inf")}, "--proxy.width"),
        ({"resolution": -1}, "--proxy.resolution"),
    ],
)
def test_senseless_proxies_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ProxyBaseline(**settings)  # type: ignore[arg-type]


def test_the_baseline_names_what_is_trained() -> None:
    own = Baseline.of(ExperimentConfig(baseline="triaxis_small"), 1.0)
    assert own.trained == own.original
    assert own.pixels == 28
    assert "proxy" not in own.describe()
    other = Baseline.of(ExperimentConfig(baseline="efficientnet_b0", resolution=128), 1.4)
    assert other.original.resolution == 128
    assert other.trained.classes == 10
    assert re.search(r"proxy .*0\.25 at 20 px.* FLOPs \(multiply-adds\)", other.describe())


def test_a_resolution_below_the_stride_is_refused() -> None:
    with pytest.raises(ValueError, match="16 px .* 32"):
        Baseline.of(ExperimentConfig(baseline="efficientnet_b0", resolution=16), 1.0)


def test_first_stages_below_the_stride_are_refused() -> None:
    # EfficientNetV2-M (Table 6) begins at 128 px and is evaluated at 480: 128/480 of 28 px is 7 px.
    settings = ExperimentConfig(baseline="efficientnet_b0", resolution=64, recipe="efficientnetv2_m", epochs=4)
    with pytest.raises(ValueError, match="--proxy.resolution 28 .* 1 of 4 .* 7 px"):
        Baseline.of(settings, 1.0)


def test_the_identity_has_what_decides_a_training_and_nothing_else() -> None:
    identity = ExperimentConfig().identity()
    assert not [name for name in RESUMABLE if value_at(identity, name) is not None]
    assert identity["recipe"]["epochs"] == 3
    assert identity["proxy"] == {"width": 0.0, "resolution": 0}
    assert ExperimentConfig(workers=WorkersConfig(1), seeds=9, data=DataConfig(root="x")).identity() == identity
    for change in ({"images": 100}, {"epochs": 2}, {"seed": 1}, {"recipe": "standard"}, {"validation": 100}):
        assert ExperimentConfig(**change).identity() != identity  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "least"), [("images", 0), ("epochs", 1), ("validation", 0), ("seeds", 1), ("seed", 0)]
)
def test_numbers_below_the_least_are_refused(name: str, least: int) -> None:
    ExperimentConfig(**{name: least})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"--{name} .* {least}, .* {least - 1}"):
        ExperimentConfig(**{name: least - 1})  # type: ignore[arg-type]
