"""The score of a network whose answers are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from studies.data.dataset import Dataset
from studies.data.splits import View
from studies.trainer.scoring import score, score_on_test


def test_evaluation_counts_what_a_known_network_gets_right(data: Dataset) -> None:
    class Constant(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.eye(10)[3].expand(len(images), 10)

    found = score(Constant(), data.validation, View(28))
    assert found.top1 == pytest.approx(0.1)
    # Class 3, and four of the nine classes with equal logits.
    assert found.top5 == pytest.approx(0.5)
    # Cross-entropy of logits 1 for one class and 0 for nine others, right one time in ten.
    assert found.loss == pytest.approx(math.log(math.e + 9) - 0.1, abs=1e-6)
    assert score_on_test(Constant(), data, resolution=28).top1 == pytest.approx(0.1)
