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

QUICK = {"efficientnet_b0", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3", "mobilenet_v2", "mnasnet_b1"}
QUICK |= {"efficientnetv2_s", "resnet18", "resnet34", "resnet50"}
SLOW = [*(f"efficientnet_b{index}" for index in range(4, 8)), "efficientnetv2_m", "efficientnetv2_l"]
NAMES = [*sorted(QUICK), *SLOW, "resnet101", "resnet152"]
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


@pytest.mark.parametrize("name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in NAMES])
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
    assert message == (
        "the state dict does not fit efficientnet_b0: shapes differ: classifier.1.weight is [1000, 1280] and should "
        "be [10, 1280], classifier.1.bias is [1000] and should be [10]"
    )


def test_missing_and_unexpected_tensors_are_named() -> None:
    weights = state("mobilenet_v2")
    weights["extra"] = weights.pop("features.5.conv.2.weight")
    message = refusal(get("mobilenet_v2"), weights)
    assert "tensors missing: features.5.conv.2.weight" in message
    assert "unexpected tensors: extra" in message


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
    assert message.startswith(f"the state dict does not fit {name}: ")
    assert " more" in message
    assert len(message) < 1200


def test_nothing_is_loaded_where_something_does_not_fit() -> None:
    network = build(get("mobilenet_v2"))
    before = network.features[0][0].weight.clone()
    with pytest.raises(ValueError, match="tensors missing"):
        load_torchvision(network, {k: v for k, v in state("mobilenet_v2").items() if "classifier" not in k})
    assert torch.equal(network.features[0][0].weight, before)


def test_a_checkpoint_around_the_state_dict_is_refused() -> None:
    message = refusal(get("efficientnet_b0"), {"model": state("efficientnet_b0"), "epoch": 3})
    assert message.endswith("it must map names to tensors, but model is a OrderedDict, epoch is a int")
