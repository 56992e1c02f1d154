"""torchvision's weights in our networks: the same images give the same logits."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import Tensor, nn

from search_spaces.networks.arch import Arch
from search_spaces.networks.module import build
from search_spaces.networks.torchvision_weights import load_torchvision
from search_spaces.zoo.registry import get

# One member of every family, and of ResNet one with each operator.
QUICK = ("efficientnet_b0", "efficientnetv2_s", "mobilenet_v2", "mnasnet_b1", "resnet18", "resnet50")
SLOW = tuple(f"efficientnet_b{index}" for index in range(1, 8))
SLOW += ("efficientnetv2_m", "efficientnetv2_l", "resnet34", "resnet101", "resnet152")
THEIRS = {"mnasnet_b1": "mnasnet1_0", **{f"efficientnetv2_{size}": f"efficientnet_v2_{size}" for size in "sml"}}


def torchvision_model(name: str) -> nn.Module:
    """Torchvision's network with random weights and, as after training, batch norms that do something."""
    torch.manual_seed(0)
    model = torchvision.models.get_model(THEIRS.get(name, name)).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            nn.init.uniform_(module.running_mean, -0.5, 0.5)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 1.5)  # type: ignore[arg-type]
    return model


def state(name: str) -> dict[str, Tensor]:
    return torchvision_model(name).state_dict()


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
@torch.no_grad()
def test_outputs_are_torchvision_s(name: str) -> None:
    theirs = torchvision_model(name)
    ours = load_torchvision(get(name), theirs.state_dict()).eval()
    images = torch.randn(2, 3, 64, 64)  # the weights don't depend on the resolution
    expected = theirs(images)
    assert expected.std() > 0.01
    assert (ours(images) - expected).abs().max() < 1e-4


@torch.no_grad()
def test_outputs_are_torchvision_s_at_the_published_resolution() -> None:
    theirs = torchvision_model("efficientnet_b0")
    ours = load_torchvision(get("efficientnet_b0"), theirs.state_dict()).eval()
    images = torch.randn(1, 3, 224, 224)
    assert (ours(images) - theirs(images)).abs().max() < 1e-4


def test_a_network_is_loaded_in_place_and_keeps_its_mode() -> None:
    network = build(get("mnasnet_b1"), dropout=0.2).eval()
    weights = state("mnasnet_b1")
    assert load_torchvision(network, weights) is network
    assert not network.training
    assert torch.equal(network.features[0][0].weight, weights["layers.0.weight"])
    assert torch.equal(network.features[-1][0].weight, weights["layers.14.weight"])


def test_old_state_dicts_without_num_batches_tracked_load() -> None:
    weights = {k: v for k, v in state("mobilenet_v2").items() if not k.endswith("num_batches_tracked")}
    load_torchvision(get("mobilenet_v2"), weights)


def refusal(arch: Arch, weights: object) -> str:
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z") as error:
        load_torchvision(arch, weights)  # type: ignore[arg-type]
    return str(error.value)


def test_other_numbers_of_classes_are_named_with_their_shapes() -> None:
    message = refusal(get("efficientnet_b0").replace(classes=10), state("efficientnet_b0"))
    words = (
        "efficientnet_b0",
        "classifier.1.weight",
        "[1000, 1280]",
        "[10, 1280]",
        "classifier.1.bias",
        "[1000]",
        "[10]",
    )
    places = [message.find(word) for word in words]
    assert -1 not in places
    assert places == sorted(places)


def test_missing_and_unexpected_tensors_are_named() -> None:
    weights = state("mobilenet_v2")
    weights["extra"] = weights.pop("features.5.conv.2.weight")
    message = refusal(get("mobilenet_v2"), weights)
    missing, _, unexpected = message.partition(";")
    assert "features.5.conv.2.weight" in missing
    assert "extra" in unexpected


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("efficientnet_b0", "efficientnet_b1"),
        ("efficientnet_b0", "mobilenet_v2"),
        ("mnasnet_a1", "mnasnet_b1"),
        ("mobilenet_v1", "resnet18"),
        ("resnet50", "resnet34"),
    ],
)
def test_another_network_s_weights_are_refused_briefly(name: str, weights: str) -> None:
    message = refusal(get(name), state(weights))
    assert name in message
    assert len(message) < 1200


def test_nothing_is_loaded_where_something_does_not_fit() -> None:
    network = build(get("mobilenet_v2"))
    before = network.features[0][0].weight.clone()
    with pytest.raises(ValueError, match=r"classifier\.1\.weight"):
        load_torchvision(network, {k: v for k, v in state("mobilenet_v2").items() if "classifier" not in k})
    assert torch.equal(network.features[0][0].weight, before)


def test_a_checkpoint_around_the_state_dict_is_refused() -> None:
    message = refusal(get("efficientnet_b0"), {"model": state("efficientnet_b0"), "epoch": 3})
    assert all(word in message for word in ("model", "OrderedDict", "epoch", "int"))
