"""1x1 convolutions have torch's results and gradients."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from studies.trainer.kernels.cpu import accelerate


@pytest.mark.parametrize(("inputs", "outputs", "size"), [(64, 32, 1), (32, 64, 2), (48, 8, 28), (3, 1, 1)])
def test_pointwise_layers_give_torchs_gradients(inputs: int, outputs: int, size: int) -> None:
    torch.manual_seed(0)
    plain = nn.Conv2d(inputs, outputs, 1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = torch.randn(40, inputs, size, size).contiguous(memory_format=torch.channels_last)
    exact = copy.deepcopy(plain).double()
    faster = accelerate(nn.Sequential(plain))
    results = []
    for network, maps in ((exact, images.double()), (faster, images)):
        leaf = maps.clone(memory_format=torch.preserve_format).requires_grad_()
        output = network(leaf)
        output.square().sum().backward()
        results.append([output, leaf.grad, *(parameter.grad for parameter in network.parameters())])
    for true, mine in zip(*results, strict=True):
        assert (mine - true).abs().max() / true.abs().max() < 1e-5


def test_no_gradient_is_computed_for_a_frozen_weight() -> None:
    layer = accelerate(nn.Sequential(nn.Conv2d(8, 4, 1, bias=False)))[0].requires_grad_(False)
    images = torch.randn(2, 8, 1, 1, requires_grad=True)
    layer(images).sum().backward()
    assert layer.weight.grad is None
    torch.testing.assert_close(images.grad, layer.weight.sum(0).expand(2, 8, 1, 1))
