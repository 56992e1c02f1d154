"""The operators of EfficientNetV2, MobileNetV1 and ResNet: by hand, against torch, in spaces and in training."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models.efficientnet import FusedMBConv, FusedMBConvConfig
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.ops import Conv2dNormActivation

from search_spaces.metrics.counts import cost
from search_spaces.metrics.memory import training_memory
from search_spaces.networks.arch import Arch, Stage
from search_spaces.networks.layers import sections, walk
from search_spaces.networks.module import ShortcutBlock, build
from search_spaces.spaces.stage_choices import StageChoices
from search_spaces.spaces.staged import StagedSpace
from search_spaces.zoo.registry import get

CHANNELS = 16


def frame(*stages: Stage, activation: str = "relu") -> Arch:
    """A network of some stages whose first one gets 16 channels on 9 px."""
    return Arch(stages, stem=CHANNELS, head=0, resolution=9, classes=3, stem_stride=1, activation=activation)


def theirs(stage: Stage) -> nn.Module:
    """Torchvision's block of the same shape, on 16 channels."""
    if stage.op == "fused":
        config = FusedMBConvConfig(stage.expansion, 3, stage.stride, CHANNELS, stage.channels, 1)
        return FusedMBConv(config, 0.0, nn.BatchNorm2d)
    projection = None
    if stage.stride > 1 or stage.channels != CHANNELS:
        projection = Conv2dNormActivation(CHANNELS, stage.channels, 1, stage.stride, activation_layer=None)
    block: type[BasicBlock | Bottleneck] = Bottleneck if stage.op == "bottleneck" else BasicBlock
    return block(CHANNELS, int(stage.channels / stage.expansion), stage.stride, projection)


@pytest.mark.parametrize(
    ("stage", "activation"),
    [
        (Stage("fused", 3, 1, 16, 1, 1), "silu"),
        (Stage("fused", 3, 1, 16, 1, 4), "silu"),
        (Stage("fused", 3, 2, 24, 1, 4), "silu"),
        (Stage("basic", 3, 1, 16, 1, skip="projection"), "relu"),
        (Stage("basic", 3, 2, 24, 1, skip="projection"), "relu"),
        (Stage("bottleneck", 3, 1, 16, 1, 4, skip="projection"), "relu"),
        (Stage("bottleneck", 3, 2, 32, 1, 4, skip="projection"), "relu"),
    ],
)
def test_a_layer_computes_what_torchvision_s_computes(stage: Stage, activation: str) -> None:
    ours = build(frame(stage, activation=activation)).features[1][0]
    reference = theirs(stage)
    # Theirs holds the same tensors in the same order.
    values = [torch.rand_like(value, dtype=torch.float) + 0.1 for value in reference.state_dict().values()]
    for module in (ours, reference):
        assert [value.shape for value in module.state_dict().values()] == [value.shape for value in values]
        names = module.state_dict().keys()
        module.load_state_dict(dict(zip(names, values, strict=True)))
    maps = torch.randn(2, CHANNELS, 9, 9)
    assert torch.allclose(ours.eval()(maps), reference.eval()(maps), atol=1e-4, rtol=1e-4)


def test_mobilenet_v1_s_layer_is_two_activated_convolutions() -> None:
    layer = build(frame(Stage("dwsep", 3, 2, 24, 1, skip="none"))).features[1][0]
    assert isinstance(layer, ShortcutBlock)
    assert layer.shortcut is layer.activation is None
    kinds = [type(module) for part in layer.block for module in part]
    assert kinds == 2 * [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]
    assert layer.block[0][0].groups == CHANNELS


# arXiv 1704.04861, Table 1, and Table 8: 0.53 of 0.57 billion multiply-adds in 1x1 convolutions (Table 2: 94.86 %).
def test_mobilenet_v1_s_table() -> None:
    arch = get("mobilenet_v1")
    maps = [block.out_size for stage in sections(arch).stages for block in stage]
    assert maps == [112, 56, 56, 28, 28, 14, 14, 14, 14, 14, 14, 7, 7]
    pointwise = sum(layer.macs for layer in walk(arch) if layer.name.endswith("pointwise.conv"))
    assert round(100 * pointwise / cost(arch).macs, 2) == 94.86
    assert not sections(arch).head


# arXiv 1512.03385, Table 1: the sizes of the maps that leave the stages.
@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_resnet_s_maps_and_shortcuts(name: str) -> None:
    stem, stages, head, classifier = sections(get(name))
    assert [stem.parts[0].out_size, stem.out_size] == [112, 56]
    assert [stage[-1].out_size for stage in stages] == [56, 28, 14, 7]
    # The first stage of ResNet-18 has as many channels as the stem.
    assert [bool(stage[0].projection) for stage in stages] == [name != "resnet18", True, True, True]
    assert not any(block.projection for stage in stages for block in stage[1:])
    assert not head
    assert classifier.linear.in_channels == get(name).stages[-1].channels


# V2, Section 3.2: a fused layer takes more multiply-adds than the MBConv that it replaces. By hand on 9 px.
def test_fused_costs_by_hand() -> None:
    def macs(op: str) -> int:
        arch = frame(Stage(op, 3, 1, 16, 1, 4))
        return sum(layer.macs for block in sections(arch).stages[0] for layer in block.layers)

    assert macs("fused") == 81 * (9 * 16 * 64 + 64 * 16)
    assert macs("mbconv") == 81 * (16 * 64 + 9 * 64 + 64 * 16)


def test_se_stands_behind_the_expansion_and_before_the_sum() -> None:
    (fused,) = sections(frame(Stage("fused", 3, 1, 16, 1, 4, se=0.25))).stages[0]
    assert [part.out_channels for part in fused.parts] == [64, 64, 16]
    (basic,) = sections(frame(Stage("basic", 3, 1, 16, 1, se=0.25))).stages[0]
    assert [layer.kind for layer in basic.layers[-3:]] == ["multiply", "add", "activation"]


CHOICES = StageChoices(
    stride=2,
    op=("conv", "fused1", "fused4", "basic", "bottleneck4", "dwsep", "mbconv1", "sepconv"),
    kernel=(3,),
    se=(0.0, 0.25),
    skip=("none", "identity", "projection"),
    filters=(1.0, 1.5),
    layers=(1, 2),
    channels=(16, 24),
)


@pytest.fixture(scope="module")
def space() -> StagedSpace:
    reference = get("resnet50")
    reference = reference.replace(stages=(reference.stages[1], reference.stages[2]), resolution=33, classes=5, stem=16)
    return StagedSpace("residual", (CHOICES, CHOICES), reference)


def test_spaces_take_the_new_operators_and_cost_them_as_the_walk_does(space: StagedSpace) -> None:
    encodings = space.sample(np.random.default_rng(0), 200)
    archs = [space.decode(space.choice(encoding)) for encoding in encodings]
    assert space.costs(encodings).macs.tolist() == [cost(arch).macs for arch in archs]
    assert space.costs(encodings).params.tolist() == [cost(arch).params for arch in archs]


def test_spaces_know_the_new_operators_equal_networks(space: StagedSpace) -> None:
    rows = space.sample(np.random.default_rng(1), 400)
    keys = [space.decode(space.choice(row)).key for row in rows]
    canonical = [tuple(row) for row in space.canonical(rows).tolist()]
    assert len(set(zip(keys, canonical, strict=True))) == len(set(keys)) == len(set(canonical))
    # By hand, a stage of 16 options an op: conv and fused1 are one, as are mbconv1 and sepconv. With one layer
    # identity is none; basic without shortcut is two convolutions, of which conv's options have those of one layer.
    a_pair, other = 2 * (2 + 3), 2 * (2 + 3)
    assert space.networks == (2 * (5 * other + a_pair - 1)) ** 2


@pytest.mark.parametrize("name", ["efficientnetv2_b0", "mobilenet_v1", "resnet18", "resnet50"])
def test_small_forms_train_with_the_fast_convolutions_as_without(name: str) -> None:
    from search_spaces.resizing.shrink import shrink
    from studies.trainer.kernels.cpu import accelerate

    # Few layers and a smooth activation, so that rounding errors stay small.
    arch = shrink(get(name), width=0.25, resolution=32).replace(classes=4, activation="silu")
    stages = tuple(dataclasses.replace(stage, layers=min(stage.layers, 2)) for stage in arch.stages)
    torch.manual_seed(0)
    exact, images = build(arch.replace(stages=stages)), torch.randn(4, 3, 32, 32)
    fast = accelerate(copy.deepcopy(exact)).to(memory_format=torch.channels_last)
    exact.double()(images.double()).square().sum().backward()
    fast(images.to(memory_format=torch.channels_last)).square().sum().backward()
    for expected, found in zip(exact.parameters(), fast.parameters(), strict=True):
        assert expected.grad is not None
        assert found.grad is not None
        assert (found.grad - expected.grad).norm() <= 1e-3 * expected.grad.norm() + 1e-5


def test_resnet_s_activations_are_saved_once() -> None:
    # With relu6 each activation saves a copy of its input; with relu its result, which the next convolution saves too.
    relu6 = get("resnet50").replace(activation="relu6")
    assert training_memory(get("resnet50"), 32).total < 0.75 * training_memory(relu6, 32).total
