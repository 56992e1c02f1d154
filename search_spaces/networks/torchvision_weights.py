"""Load torchvision's weights into our networks: EfficientNet, EfficientNetV2, MobileNetV2, MNASNet 1.0 and ResNet."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from search_spaces.networks.arch import Arch
from search_spaces.networks.module import Network, build

# Our names of a convolution (slot 0) or norm (slot 1): of stem and head, and of a part of a stage's layer.
_END = re.compile(r"features\.(?P<index>\d+)\.(?P<slot>[01])\.(?P<tensor>\w+)")
_PART = re.compile(r"features\.(?P<stage>\d+)\.(?P<layer>\d+)\.block\.(?P<part>\d+)\.(?P<slot>[01])\.(?P<tensor>\w+)")
_SHORTCUT = re.compile(r"features\.(?P<stage>\d+)\.(?P<layer>\d+)\.shortcut\.(?P<slot>[01])\.(?P<tensor>\w+)")
_SHOWN = 4


def load_torchvision(network: Arch | Network, state_dict: Mapping[str, Tensor]) -> Network:
    """The network with the weights of a torchvision model's `state_dict()`; an Arch is built first.

    A Network is loaded in place and returned; its mode (training or evaluation) does not change. The layout (that of
    EfficientNet, MobileNetV2, MNASNet or ResNet) is recognised by its names. Raises ValueError, naming tensors and
    shapes, and leaves the network unchanged, if the state dict does not fit.
    """
    model = network if isinstance(network, Network) else build(network)
    own = model.state_dict()
    translate = _layout(state_dict)
    theirs = {key: translate(key, model.arch) for key in own}
    problems = _problems(own, theirs, state_dict)
    if problems:
        name = model.arch.name or "the network"
        raise ValueError(f"the state dict does not fit {name}: {'; '.join(problems)}")
    model.load_state_dict({key: state_dict[name] for key, name in theirs.items() if name in state_dict}, strict=False)
    return model


def _layout(state_dict: Mapping[str, Tensor]) -> Callable[[str, Arch], str]:
    """The function that translates our names to those of the state dict's layout."""
    if any(key.startswith("layers.") for key in state_dict):
        return _mnasnet
    if any(re.match(r"features\.\d+\.conv\.", key) for key in state_dict):
        return _mobilenet_v2
    if any(key.startswith("layer1.") for key in state_dict):
        return _resnet
    return _efficientnet


def _efficientnet(key: str, _arch: Arch) -> str:
    """Our layout is EfficientNet's, and EfficientNetV2's."""
    return key


def _mobilenet_v2(key: str, arch: Arch) -> str:
    """features.BLOCK.conv.PART.SLOT; the last part's convolution and norm lie loose in `conv`."""
    if match := _END.fullmatch(key):
        block = 0 if match["index"] == "0" else 1 + sum(stage.layers for stage in arch.stages)
        return f"features.{block}.{match['slot']}.{match['tensor']}"
    if match := _PART.fullmatch(key):
        index, part, slot = int(match["stage"]), int(match["part"]), int(match["slot"])
        block = 1 + sum(stage.layers for stage in arch.stages[: index - 1]) + int(match["layer"])
        is_last = part == (1 if arch.stages[index - 1].expansion == 1 else 2)
        place = f"{part + slot}" if is_last else f"{part}.{slot}"
        return f"features.{block}.conv.{place}.{match['tensor']}"
    return key


def _mnasnet(key: str, arch: Arch) -> str:
    """Stem and the first stage lie loose in `layers` (convolution, norm, ReLU), then a stack for every stage."""
    if match := _END.fullmatch(key):
        first = 0 if match["index"] == "0" else len(arch.stages) + 7
        return f"layers.{first + int(match['slot'])}.{match['tensor']}"
    if match := _PART.fullmatch(key):
        stage, place = int(match["stage"]), 3 * int(match["part"]) + int(match["slot"])
        if stage == 1:
            return f"layers.{place + 3}.{match['tensor']}"
        return f"layers.{stage + 6}.{match['layer']}.layers.{place}.{match['tensor']}"
    return key


def _resnet(key: str, _arch: Arch) -> str:
    """layerSTAGE.LAYER.convPART and bnPART, counted from 1; the projection is `downsample`, the linear layer `fc`."""
    if match := _END.fullmatch(key):
        return f"{('conv', 'bn')[int(match['slot'])]}1.{match['tensor']}"
    if match := _PART.fullmatch(key):
        kind = ("conv", "bn")[int(match["slot"])]
        return f"layer{match['stage']}.{match['layer']}.{kind}{int(match['part']) + 1}.{match['tensor']}"
    if match := _SHORTCUT.fullmatch(key):
        return f"layer{match['stage']}.{match['layer']}.downsample.{match['slot']}.{match['tensor']}"
    return key.replace("classifier.1.", "fc.")


def _problems(own: Mapping[str, Tensor], theirs: Mapping[str, str], state_dict: Mapping[str, Tensor]) -> list[str]:
    """The problems, one phrase for each kind."""
    foreign = [f"{key} is a {type(value).__name__}" for key, value in state_dict.items() if not torch.is_tensor(value)]
    if foreign:
        return [f"it must map names to tensors, but {_some(foreign)}"]
    # State dicts older than torch 0.4.1 have no num_batches_tracked, and evaluation needs none.
    missing = [n for n in theirs.values() if n not in state_dict and not n.endswith("num_batches_tracked")]
    unexpected = sorted(set(state_dict) - set(theirs.values()))
    shapes = [
        f"{name} is {list(state_dict[name].shape)} and should be {list(own[key].shape)}"
        for key, name in theirs.items()
        if name in state_dict and state_dict[name].shape != own[key].shape
    ]
    kinds = (("tensors missing", missing), ("unexpected tensors", unexpected), ("shapes differ", shapes))
    return [f"{kind}: {_some(found)}" for kind, found in kinds if found]


def _some(items: Sequence[str]) -> str:
    """The first items, and the number of the others."""
    shown = ", ".join(items[:_SHOWN])
    return f"{shown} and {len(items) - _SHOWN} more" if len(items) > _SHOWN else shown
