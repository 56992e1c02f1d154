"""Costs, against published counts and against independent counters."""

from __future__ import annotations

import pytest
import torch
import torchvision

from search_spaces.metrics.counts import Cost, cost, total
from search_spaces.networks.layers import walk
from search_spaces.networks.module import build
from search_spaces.zoo.registry import get

# Parameters and multiply-adds of convolution and linear layers, counted with hooks on the networks of torchvision
# 0.29.1 and (efficientnet_b8, efficientnetv2_b0, b1, b3 and xl, mnasnet_a1, mobilenet_v1) timm 1.0.31.
PUBLISHED = {
    "efficientnet_b0": (5_288_548, 385_814_752),
    "efficientnet_b1": (7_794_184, 686_802_832),
    "efficientnet_b2": (9_109_994, 993_561_872),
    "efficientnet_b3": (12_233_232, 1_827_141_392),
    "efficientnet_b4": (19_341_616, 4_393_771_024),
    "efficientnet_b5": (30_389_784, 10_266_384_752),
    "efficientnet_b7": (66_347_960, 37_745_884_192),
    "efficientnet_b8": (87_413_142, 62_597_461_568),
    "mnasnet_a1": (3_887_038, 311_579_072),
    "mobilenet_v2": (3_504_872, 300_774_272),
    "efficientnetv2_b0": (7_139_704, 718_086_176),
    "efficientnetv2_b1": (8_141_052, 1_196_819_360),
    "efficientnetv2_b3": (14_358_406, 3_011_458_816),
    "efficientnetv2_s": (21_458_488, 8_365_617_152),
    "efficientnetv2_m": (54_139_356, 24_582_460_384),
    "efficientnetv2_l": (118_515_272, 56_079_699_008),
    "efficientnetv2_xl": (208_119_808, 93_353_451_520),
    "mobilenet_v1": (4_231_976, 568_740_352),
    "resnet18": (11_689_512, 1_814_073_344),
    "resnet50": (25_557_032, 4_089_184_256),
    "resnet101": (44_549_160, 7_801_405_440),
    "resnet152": (60_192_808, 11_513_626_624),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_counts_to_the_last_digit(name: str) -> None:
    found = cost(get(name))
    assert (found.params, found.macs) == PUBLISHED[name]


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("mnasnet_b1", "mnasnet1_0"),
        ("efficientnet_b6", "efficientnet_b6"),
        ("efficientnetv2_s", "efficientnet_v2_s"),
        ("resnet34", "resnet34"),
    ],
)
def test_torchvision_s_networks_counted_with_hooks(name: str, theirs: str) -> None:
    arch, counts = get(name), {"macs": 0, "activations": 0}

    def count(module: torch.nn.Module, inputs: object, output: torch.Tensor) -> None:
        positions = output[0, 0].numel() if output.dim() == 4 else 1
        counts["macs"] += module.weight.numel() * positions  # type: ignore[operator, union-attr]
        counts["activations"] += output.numel()

    with torch.device("meta"):
        network = torchvision.models.get_model(theirs).eval()
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
                module.register_forward_hook(count)
        network(torch.empty(1, 3, arch.resolution, arch.resolution))
    params = sum(parameter.numel() for parameter in network.parameters())
    assert cost(arch) == Cost(params, counts["macs"], counts["activations"])


def test_efficientnet_l2_has_the_480_million_parameters_of_its_paper() -> None:
    assert round(cost(get("efficientnet_l2")).params / 1e6) == 480


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_activations_are_fvcore_s() -> None:
    from fvcore.nn import ActivationCountAnalysis

    arch = get("efficientnet_b0").replace(resolution=64)
    analysis = ActivationCountAnalysis(build(arch).eval(), torch.zeros(1, 3, 64, 64))
    assert cost(arch).activations == analysis.unsupported_ops_warnings(False).total()


def test_costs_add_up() -> None:
    layers = walk(get("mnasnet_a1"))
    assert total(layers[:50]) + total(layers[50:]) == total(layers) == cost(get("mnasnet_a1"))
    assert total(()) == Cost(0, 0, 0)


def test_parameters_do_not_depend_on_the_resolution_and_classes_only_touch_the_classifier() -> None:
    b0 = get("efficientnet_b0")
    assert cost(b0.replace(resolution=32)).params == cost(b0).params
    ten = cost(b0.replace(classes=10))
    assert cost(b0).params - ten.params == 990 * 1281
    assert cost(b0).macs - ten.macs == 990 * 1280
