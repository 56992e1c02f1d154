"""Top-1 accuracy, top-5 accuracy and loss of a network on a split."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from studies.data.dataset import Dataset
from studies.data.splits import Split, View
from studies.trainer.distributed import sum_over_ranks
from studies.trainer.gradients import autocast

# Images per forward pass, over all workers.
EVALUATION_BATCH_SIZE = 100
TOP_K = 5


@dataclass(frozen=True)
class Score:
    """The result of an evaluation.

    top1  share (0 to 1) of images whose class has the highest logit
    top5  share of images whose class has one of the five highest logits; 1 if there are at most five classes
    loss  mean cross-entropy in nats
    """

    top1: float
    top5: float
    loss: float


@torch.inference_mode()
def score(model: nn.Module, split: Split, view: View, *, precision: str = "auto") -> Score:
    """Score a model, which is put into evaluation mode, on a split without augmentation.

    Workers that share batches (`view`) all get the score on the whole split.
    """
    model.eval()
    top1, top5, loss = (torch.zeros((), device=view.device) for _ in range(3))
    for images, labels in split.batches(view, EVALUATION_BATCH_SIZE):
        with autocast(precision, view.device):
            logits: Tensor = model(images)
        top1 += (logits.argmax(1) == labels).sum()
        top5 += (logits.topk(min(TOP_K, logits.shape[1])).indices == labels[:, None]).sum()
        loss += functional.cross_entropy(logits.float(), labels, reduction="sum")
    return Score(*(total / len(split) for total in sum_over_ranks(view, top1, top5, loss)))


def score_on_test(
    model: nn.Module,
    data: Dataset,
    *,
    resolution: int,
    device: str | torch.device | None = None,
    precision: str = "auto",
) -> Score:
    """The score on the test images, which are used once, for the final result; the model moves to the device."""
    view = View(resolution, choose_device(device))
    return score(model.to(view.device), data.test(), view, precision=precision)


def choose_device(device: str | torch.device | None = None) -> torch.device:
    """The given device; by default a GPU if there is one, else the CPU."""
    return torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
