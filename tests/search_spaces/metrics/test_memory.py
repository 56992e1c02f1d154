"""Peak memory, against hand arithmetic and against torch's memory tracker under fake tensors."""

from __future__ import annotations

import dataclasses
import itertools
import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.metrics.counts import cost
from search_spaces.metrics.footprint import block_memory, classifier_memory
from search_spaces.metrics.memory import Memory, block_memories, inference_memory, largest_batch, training_memory
from search_spaces.networks.arch import ACTIVATIONS, Arch, Stage
from search_spaces.networks.blocks import Block, Layer
from search_spaces.networks.layers import structure
from search_spaces.zoo.registry import get, names

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "memory.py"
SMALL = Arch(
    stages=(Stage("conv", kernel=3, stride=1, channels=4, layers=1, skip="none"),),
    stem=2,
    head=3,
    resolution=8,
    classes=5,
    stem_stride=1,
    in_channels=1,
)

archs = st.from_type(Arch)
batches = st.integers(1, 300)
optimizers = st.sampled_from(("sgd", "rmsprop", "adamw"))


@pytest.fixture(scope="module")
def oracle() -> dict[str, Any]:
    """`training_peak` and `inference_peak`, by torch's tracker."""
    return runpy.run_path(str(BENCHMARK))


def test_training_by_hand() -> None:
    # Weights: 18 + 72 + 12 of convolutions, 18 of norms, 20 of the linear layer; 18 running statistics.
    # The peak is the backward pass of the head's relu. Saved on maps of 64 pixels: the image (1 channel), twice 2,
    # twice 4, twice 3 channels; the gradient that enters and the one that leaves have 3 each.
    saved, gradients = 64 * (1 + 4 + 8 + 6), 64 * 6
    assert training_memory(SMALL, 10) == Memory(
        weights=4 * (140 + 18),
        gradients=4 * (12 + 6 + 20),
        optimizer=4 * 140,
        activations=4 * 10 * saved,
        workspace=4 * 10 * gradients,
    )


def test_inference_by_hand() -> None:
    # The convolution of the stage: the image, its input, its output and the norm's.
    elements = 64 * (1 + 2 + 4 + 4)
    assert inference_memory(SMALL, 10) == Memory(4 * (140 + 18), 0, 0, 4 * 10 * elements, 0)


def test_a_tiny_batch_peaks_in_the_optimizer_s_step() -> None:
    # rmsprop: two states a weight, and two temporary copies; the image is still there.
    wide = SMALL.replace(classes=10_000)
    params = cost(wide).params
    peak = training_memory(wide, 1, optimizer="rmsprop")
    assert peak == Memory(4 * (params + 18), 4 * params, 8 * params, 4 * 64, 8 * params)


def test_what_is_kept_besides_the_weights() -> None:
    b0 = get("efficientnet_b0")
    params, statistics = 5_288_548, 42_016  # 42 016 running means and variances: torchvision's buffers less counters
    plain = training_memory(b0, 8)
    assert (plain.weights, plain.optimizer) == (4 * (params + statistics), 4 * params)
    assert training_memory(b0, 8, optimizer="adamw").optimizer == 8 * params
    assert training_memory(b0, 8, ema=True).total - plain.total == 4 * (params + statistics)
    assert training_memory(b0, 8, bytes_per_element=2).total * 2 == plain.total


def test_relu_saves_what_the_next_convolution_saves_anyway() -> None:
    needs = {name: training_memory(get("mobilenet_v2").replace(activation=name), 64).total for name in ACTIVATIONS}
    assert needs["relu"] < 0.75 * needs["relu6"]
    assert len({needs[name] for name in ACTIVATIONS if name != "relu"}) == 1


@pytest.mark.parametrize("name", names())
def test_blocks_are_the_walk_s(name: str) -> None:
    check_walk(get(name))


@given(archs)
def test_blocks_are_the_walk_s_for_any_arch(arch: Arch) -> None:
    check_walk(arch)


def check_walk(arch: Arch) -> None:
    blocks, classifier = structure(arch)
    walked = [block_memory(block, of_images=block is blocks[0]) for block in blocks]
    expected = [*walked, classifier_memory(classifier, input_saved=walked[-1].saves_output)]
    assert list(itertools.chain.from_iterable(block_memories(arch))) == expected
    assert sum(block.params for block in expected) == cost(arch).params


@given(archs, st.integers(1, 100))
def test_activations_grow_linearly_with_the_batch(arch: Arch, batch: int) -> None:
    # Once the batch is large the peak stays at one moment.
    first, second, third = (training_memory(arch, 10**6 + index * batch).total for index in range(3))
    assert third - second == second - first > 0
    first, second, third = (inference_memory(arch, 10**6 + index * batch).total for index in range(3))
    assert third - second == second - first > 0


@given(archs, st.integers(1, 3), st.integers(0, 2), st.integers(0, 5), batches, optimizers)
def test_a_larger_network_never_needs_less(
    arch: Arch, width: int, depth: int, pixels: int, batch: int, optimizer: str
) -> None:
    stages = tuple(
        dataclasses.replace(stage, channels=width * stage.channels, layers=stage.layers + depth)
        for stage in arch.stages
    )
    larger = arch.replace(
        stages=stages, stem=width * arch.stem, head=width * arch.head, resolution=arch.resolution + pixels
    )
    ours, theirs = (training_memory(one, batch, optimizer=optimizer) for one in (arch, larger))
    assert ours.total <= theirs.total
    assert inference_memory(arch, batch).total <= inference_memory(larger, batch).total


@given(archs, st.integers(0, 10**9), optimizers, st.booleans(), st.sampled_from((2, 4)))
def test_the_largest_batch_fits_and_one_more_does_not(
    arch: Arch, budget: int, optimizer: str, ema: bool, width: int
) -> None:
    most = largest_batch(arch, budget, optimizer=optimizer, ema=ema, bytes_per_element=width)

    def needs(batch: int) -> int:
        return training_memory(arch, batch, optimizer=optimizer, ema=ema, bytes_per_element=width).total

    assert most == 0 or needs(most) <= budget
    assert needs(most + 1) > budget


@given(archs, st.integers(0, 10**9))
def test_the_largest_batch_in_inference(arch: Arch, budget: int) -> None:
    most = largest_batch(arch, budget, training=False)
    assert most == 0 or inference_memory(arch, most).total <= budget
    assert inference_memory(arch, most + 1).total > budget


def shallow(arch: Arch) -> Arch:
    """The network with a stage's first layer and one like its others: what makes a stage's memory, in little time."""
    return arch.replace(stages=tuple(dataclasses.replace(one, layers=min(2, one.layers)) for one in arch.stages))


@pytest.mark.parametrize(
    ("name", "batch"),
    [
        ("efficientnet_b0", 8),
        ("efficientnet_b4", 32),
        ("efficientnetv2_s", 16),
        ("mobilenet_v1", 32),
        ("mobilenet_v2", 128),
        ("resnet18", 128),
        ("resnet50", 32),
    ],
)
def test_what_torch_allocates_for_published_networks(oracle: dict[str, Any], name: str, batch: int) -> None:
    # benchmarks/memory.py compares them at their full depth.
    arch = shallow(get(name))
    assert training_memory(arch, batch).total == pytest.approx(oracle["training_peak"](arch, batch), rel=0.02)
    assert inference_memory(arch, batch).total == pytest.approx(oracle["inference_peak"](arch, batch), rel=0.02)


def test_what_torch_allocates_at_full_depth(oracle: dict[str, Any]) -> None:
    arch = get("mobilenet_v2")
    assert training_memory(arch, 8).total == pytest.approx(oracle["training_peak"](arch, 8), rel=0.02)


@pytest.mark.parametrize("optimizer", ["rmsprop", "adamw"])
def test_what_torch_allocates_where_the_weights_dominate(oracle: dict[str, Any], optimizer: str) -> None:
    arch = get("mobilenet_v2").replace(resolution=32)
    found = oracle["training_peak"](arch, 2, optimizer)
    assert training_memory(arch, 2, optimizer=optimizer).total == pytest.approx(found, rel=0.02)


@settings(max_examples=8, deadline=None)
@given(archs, st.sampled_from((32, 64)))
def test_what_torch_allocates_for_any_arch(oracle: dict[str, Any], arch: Arch, batch: int) -> None:
    # Maps large enough that what the model leaves out, vectors of a number a channel, is small beside them.
    arch = arch.replace(resolution=arch.resolution + 60)
    assert training_memory(arch, batch).total == pytest.approx(oracle["training_peak"](arch, batch), rel=0.05)
    assert inference_memory(arch, batch).total == pytest.approx(oracle["inference_peak"](arch, batch), rel=0.05)


def test_images_need_no_gradient(oracle: dict[str, Any]) -> None:
    # The images are by far the largest of its tensors.
    stage = Stage("basic", kernel=1, stride=1, channels=1, layers=1)
    arch = Arch((stage,), stem=1, head=0, resolution=61, classes=1, activation="relu", stem_kernel=1, stem_pool=2)
    assert training_memory(arch, 32).total == pytest.approx(oracle["training_peak"](arch, 32), rel=0.01)


def test_user_s_mistakes() -> None:
    with pytest.raises(ValueError, match="0"):
        training_memory(SMALL, 0)
    with pytest.raises(ValueError, match=r"2\.5"):
        inference_memory(SMALL, 2.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'adamw'"):
        training_memory(SMALL, 1, optimizer="adam")
    with pytest.raises(ValueError, match="-1"):
        largest_batch(SMALL, -1)
    with pytest.raises(ValueError, match="bytes_per_element"):
        largest_batch(SMALL, 1, bytes_per_element=0)


def test_a_part_without_a_rule_is_refused_by_its_kind() -> None:
    @dataclasses.dataclass(frozen=True)
    class Shuffle:
        layers: tuple[Layer, ...]
        out_channels: int = 2
        out_size: int = 4

    layer = Layer("x", "shuffle", 2, 2, 4, 4)
    with pytest.raises(TypeError, match="Shuffle"):
        block_memory(Block("x", (Shuffle((layer,)),)))  # type: ignore[arg-type]
