"""The builder, against the walk (by hooks), against torchvision and by hand."""

from __future__ import annotations

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from search_spaces.metrics.counts import Cost, cost
from search_spaces.networks.arch import ACTIVATIONS, Arch, Stage
from search_spaces.networks.layers import walk
from search_spaces.networks.module import PoolShortcut, ShortcutBlock, build
from search_spaces.zoo.registry import get, names

TINY = Arch(
    stages=(
        Stage("conv", kernel=3, stride=1, channels=8, layers=2, se=0.5),
        Stage("sepconv", kernel=5, stride=2, channels=12, layers=2, skip="pool"),
        Stage("mbconv", kernel=3, stride=2, channels=6, layers=2, expansion=3, se=0.25, skip="pool"),
    ),
    stem=8,
    head=16,
    resolution=17,
    classes=3,
)


def images(arch: Arch, count: int = 1) -> Tensor:
    return torch.randn(count, arch.in_channels, arch.resolution, arch.resolution)


def counted(arch: Arch, device: str) -> tuple[Cost, list[tuple[int, int]]]:
    """What hooks count on the built network, and every convolution's output channels and size, as executed."""
    counts, shapes = {"macs": 0, "activations": 0}, []

    def count(module: nn.Conv2d | nn.Linear, inputs: object, output: Tensor) -> None:
        positions = output[0, 0].numel() if output.dim() == 4 else 1
        counts["macs"] += module.weight.numel() * positions
        counts["activations"] += output.numel()
        shapes.append((output.shape[1], round(positions**0.5)))

    with torch.device(device), torch.no_grad():
        network = build(arch).eval()
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.register_forward_hook(count)
        assert network(images(arch)).shape == (1, arch.classes)
    params = sum(parameter.numel() for parameter in network.parameters())
    return Cost(params, counts["macs"], counts["activations"]), shapes


@settings(deadline=None)
@given(st.from_type(Arch))
def test_random_networks_have_the_walk_s_layers(arch: Arch) -> None:
    found, shapes = counted(arch, "cpu")
    assert found == cost(arch)
    assert shapes == [(row.out_channels, row.out_size) for row in walk(arch) if row.kind in ("conv", "linear")]


@pytest.mark.parametrize("name", names())
def test_published_networks_are_what_the_walk_says(name: str) -> None:
    assert counted(get(name), "meta")[0] == cost(get(name))


@settings(deadline=None, max_examples=25)
@given(st.from_type(Arch))
def test_random_networks_train_on_the_cpu(arch: Arch) -> None:
    network = build(arch, dropout=0.2, stochastic_depth=0.2)
    network(images(arch, count=2)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnet_b7"])
def test_tensors_have_torchvision_s_names_and_shapes(name: str) -> None:
    with torch.device("meta"):
        ours, theirs = build(get(name)), torchvision.models.get_model(name)
    assert [(k, v.shape) for k, v in ours.state_dict().items()] == [
        (k, v.shape) for k, v in theirs.state_dict().items()
    ]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_works(activation: str) -> None:
    arch = TINY.replace(activation=activation)
    assert build(arch).eval()(images(arch)).isfinite().all()


def test_images_need_not_be_square_nor_of_the_arch_s_resolution() -> None:
    assert build(TINY).eval()(torch.randn(2, 3, 33, 20)).shape == (2, 3)


def test_pool_shortcut_by_hand() -> None:
    maps = torch.arange(9.0).reshape(1, 1, 3, 3)
    (block,) = [row for row in walk(pooled(in_channels=1, channels=2, resolution=3)) if row.kind == "pool"]
    result = PoolShortcut(block)(maps)
    # Windows of 2 on a 3x3 map: the last row and column hold one or two pixels, and only those are averaged.
    assert torch.equal(result[0, 0], torch.tensor([[2.0, 3.5], [6.5, 8.0]]))
    assert torch.equal(result[0, 1], torch.zeros(2, 2))


def test_pool_shortcut_cuts_surplus_channels() -> None:
    (row,) = [row for row in walk(pooled(in_channels=3, channels=2, resolution=4)) if row.kind == "pool"]
    maps = torch.randn(1, 3, 4, 4)
    assert torch.allclose(PoolShortcut(row)(maps), nn.functional.avg_pool2d(maps[:, :2], 2))


def pooled(in_channels: int, channels: int, resolution: int) -> Arch:
    stage = Stage("sepconv", kernel=3, stride=2, channels=channels, layers=1, skip="pool")
    return Arch(stages=(stage,), stem=in_channels, head=4, resolution=resolution, stem_stride=1)


def test_the_shortcut_carries_the_signal_where_the_parts_give_none() -> None:
    network = build(TINY).eval()
    block = network.features[2][1]
    assert isinstance(block, ShortcutBlock)
    nn.init.zeros_(block.block[-1][1].weight)  # the projection's norm
    maps = torch.randn(1, 12, 9, 9)
    assert torch.equal(block(maps), maps)


def test_skip_none_adds_nothing() -> None:
    stage = Stage("mbconv", kernel=3, stride=1, channels=8, layers=2, expansion=3, skip="none")
    network = build(TINY.replace(stages=(stage,))).eval()
    maps = torch.randn(1, 8, 9, 9)
    assert all(torch.equal(layer(maps), layer.block(maps)) for layer in network.features[1])


def test_stochastic_depth_rises_as_in_torchvision() -> None:
    def rates(network: nn.Module) -> list[float]:
        return [m.p for m in network.modules() if isinstance(m, torchvision.ops.StochasticDepth)]

    with torch.device("meta"):
        ours = build(get("efficientnet_b0"), stochastic_depth=0.2)
        theirs = torchvision.models.efficientnet_b0(stochastic_depth_prob=0.2)
    assert rates(ours) == pytest.approx(rates(theirs))
    assert rates(ours)[0] == 0 < rates(ours)[-1] < 0.2


def test_stochastic_depth_drops_in_training_only_and_keeps_the_expectation() -> None:
    block = build(TINY, stochastic_depth=0.9).features[3][1]
    nn.init.zeros_(block.block[-1][1].weight)
    nn.init.ones_(block.block[-1][1].bias)
    maps = torch.zeros(4000, 6, 1, 1)
    rate = block.stochastic_depth.p
    torch.manual_seed(0)
    added = block.train()(maps)[:, 0, 0, 0]
    assert added.unique().tolist() == pytest.approx([0, 1 / (1 - rate)])
    assert added.mean().item() == pytest.approx(1, abs=0.15)
    assert torch.equal(block.eval()(maps), torch.ones_like(maps))


def test_dropout_stands_before_the_classifier_and_rests_in_evaluation() -> None:
    network = build(TINY, dropout=0.5)
    assert network.classifier[0].p == 0.5
    batch = images(TINY, 8)
    assert torch.equal(network.eval()(batch), network(batch))


@pytest.mark.parametrize("value", [-0.1, 1.0, float("nan")])
@pytest.mark.parametrize("what", ["dropout", "stochastic_depth"])
def test_probabilities_out_of_range_are_refused(what: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{what}.*{value}"):
        build(TINY, **{what: value})  # type: ignore[arg-type]


def test_one_seed_gives_one_network() -> None:
    def weights(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return torch.cat([p.flatten() for p in build(TINY).parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_weights_are_drawn_as_mobilenet_v2_s() -> None:
    torch.manual_seed(0)
    network = build(get("mobilenet_v2"))
    expand, (drop, linear) = network.features[7][0].block[0], network.classifier
    assert isinstance(drop, nn.Dropout)
    assert expand[0].weight.std().item() == pytest.approx((2 / 960) ** 0.5, rel=0.01)  # fan-out of 1x1, 160 to 960
    assert linear.weight.std().item() == pytest.approx(0.01, rel=0.01)
    assert not linear.bias.any()
    assert expand[1].weight.eq(1).all()
    assert expand[1].eps == 1e-5


def test_norm_eps_reaches_every_norm() -> None:
    network = build(TINY.replace(norm_eps=0.01))
    assert {module.eps for module in network.modules() if isinstance(module, nn.BatchNorm2d)} == {0.01}


def test_the_network_knows_its_arch() -> None:
    assert build(TINY).arch is TINY


@pytest.mark.gpu
def test_the_network_runs_on_the_gpu() -> None:
    network = build(TINY).eval()
    batch = images(TINY, 4)
    expected = network(batch)
    assert torch.allclose(network.cuda()(batch.cuda()).cpu(), expected, atol=1e-4)
