"""Depthwise convolutions have torch's results and gradients at every shape."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from studies.trainer.kernels.cpu import accelerate
from studies.trainer.kernels.depthwise import depthwise_conv2d, is_depthwise


def gradients(images: Tensor, weight: Tensor, stride: int, *, ours: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The output, and the gradients of both inputs for a fixed random gradient of the output."""
    images, weight = images.clone().requires_grad_(), weight.clone().requires_grad_()
    kernel = weight.shape[2]
    output = (
        depthwise_conv2d(images, weight, stride)
        if ours
        else functional.conv2d(images, weight, None, stride, kernel // 2, 1, len(weight))
    )
    towards = torch.randn(output.shape, generator=torch.Generator().manual_seed(1)).to(output.dtype)
    return (output.detach(), *torch.autograd.grad(output, (images, weight), towards))


@given(
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    kernel=st.sampled_from([3, 5, 7, 9]),
    stride=st.integers(1, 3),
    channels=st.sampled_from([2, 5, 16]),
)
@settings(max_examples=80, deadline=None)
def test_equal_to_torch_in_double_precision(height: int, width: int, kernel: int, stride: int, channels: int) -> None:
    torch.manual_seed(0)
    images = torch.randn(2, channels, height, width, dtype=torch.double).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(channels, 1, kernel, kernel, dtype=torch.double)
    for theirs, mine in zip(
        gradients(images, weight, stride, ours=False), gradients(images, weight, stride, ours=True), strict=True
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("size", "kernel", "stride"), [(1, 5, 1), (2, 5, 1), (4, 5, 1), (6, 5, 2), (5, 3, 1)])
def test_gradcheck(size: int, kernel: int, stride: int) -> None:
    torch.manual_seed(0)
    images = torch.randn(2, 3, size, size, dtype=torch.double).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(3, 1, kernel, kernel, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda i, w: depthwise_conv2d(i, w, stride), (images.requires_grad_(), weight))


@pytest.mark.parametrize(
    ("channels", "size", "kernel", "stride"),
    [
        (1152, 1, 5, 1),
        (672, 2, 5, 1),
        (480, 2, 3, 1),
        (240, 4, 5, 1),
        (144, 8, 5, 2),
        (48, 28, 5, 1),
        (72, 28, 3, 2),
        (48, 52, 3, 1),
    ],
)
def test_no_further_from_the_truth_than_torch_in_single_precision(
    channels: int, size: int, kernel: int, stride: int
) -> None:
    torch.manual_seed(0)
    images = torch.randn(16, channels, size, size).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(channels, 1, kernel, kernel)
    truth = gradients(images.double(), weight.double(), stride, ours=False)
    for true, mine in zip(truth, gradients(images, weight, stride, ours=True), strict=True):
        assert (mine - true).abs().max() / true.abs().max() < 1e-5


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(8, 8, 3, padding=1, groups=4),
        nn.Conv2d(8, 16, 3, padding=1, groups=8),
        nn.Conv2d(8, 8, 3, padding=0, groups=8),
        nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8),
        nn.Conv2d(8, 8, (3, 5), padding=(1, 2), groups=8),
        nn.Conv2d(8, 8, 3, padding=1, groups=8, padding_mode="reflect"),
        nn.Conv2d(8, 8, 3, padding="same", groups=8),
    ],
)
def test_other_convolutions_are_left_alone(layer: nn.Conv2d) -> None:
    assert not is_depthwise(layer)
    assert type(accelerate(nn.Sequential(layer))[0]) is nn.Conv2d


def test_no_gradient_is_computed_for_a_frozen_weight_or_input() -> None:
    torch.manual_seed(0)
    images = torch.randn(2, 8, 9, 9).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(8, 1, 5, 5)
    for frozen, learned in ((images, weight), (weight, images)):
        learned.requires_grad_()
        depthwise_conv2d(images, weight).sum().backward()
        assert frozen.grad is None
        assert learned.grad is not None
        learned.requires_grad_(False).grad = None
