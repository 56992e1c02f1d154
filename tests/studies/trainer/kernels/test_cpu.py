"""A network with the faster layers is the same network, and freed memory is kept."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest
import torch
from torch import nn

from studies.trainer.kernels.cpu import accelerate
from studies.trainer.kernels.depthwise import DepthwiseConv2d


def test_accelerate_keeps_the_state_dict_and_the_gradients() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 48, 3, padding=1, bias=False),
        nn.Conv2d(48, 48, 5, padding=2, groups=48, bias=False),
        nn.BatchNorm2d(48),
        nn.SiLU(inplace=True),
        nn.Conv2d(48, 8, 1, bias=False),
        nn.AdaptiveAvgPool2d(1),
        nn.Conv2d(8, 16, 1),
        nn.Flatten(),
    ).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    faster = accelerate(copy.deepcopy(model))
    assert isinstance(faster[1], DepthwiseConv2d)
    assert list(faster.state_dict()) == list(model.state_dict())
    images = torch.randn(40, 3, 28, 28).contiguous(memory_format=torch.channels_last)
    for network in (model, faster):
        network(images).square().sum().backward()
    for mine, theirs in zip(faster.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-3, atol=1e-4 * float(theirs.grad.abs().max()))


def test_biased_layers_and_other_layouts_give_torchs_result() -> None:
    torch.manual_seed(0)
    biased = nn.Conv2d(8, 8, 5, padding=2, groups=8)
    images = torch.randn(2, 8, 9, 9)
    expected = biased(images)
    accelerate(nn.Sequential(biased))
    torch.testing.assert_close(biased(images), expected)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="NOT RUN: this is about glibc")
def test_freed_memory_is_kept_for_the_next_step() -> None:
    code = """
import resource, torch
from studies.trainer.kernels.cpu import keep_freed_memory
keep_freed_memory()
step = lambda: [torch.ones(1 << 20) for _ in range(8)]
for _ in range(4): step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    faults = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    # 32 MiB anew would be 8192 pages.
    assert int(faults) < 1000
