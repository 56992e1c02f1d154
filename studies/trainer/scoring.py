"""How well a network does on a split: top-1, top-5, loss; on the test images once, for the final figure."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from studies.data.dataset import Dataset
from studies.data.splits import Split, View
from studies.trainer.distributed import summed
from studies.trainer.gradients import computing

BATCH = 100
TOP = 5


@dataclass(frozen=True)
class Score:
    """Shares (0 to 1) of images whose class has the highest logit, or one of the five; mean cross-entropy (nats).

    With five classes or fewer every class is among the five: `top5` is 1.
    """

    top1: float
    top5: float
    loss: float


@torch.inference_mode()
def score(model: nn.Module, split: Split, view: View, *, precision: str = "auto") -> Score:
    """A model's score on a split, unchanged images, eval mode; all workers that share batches get the whole."""
    model.eval()
    right, among, losses = (torch.zeros((), device=view.device) for _ in range(3))
    for images, labels in split.batches(view, BATCH):
        with computing(precision, view.device):
            logits: Tensor = model(images)
        right += (logits.argmax(1) == labels).sum()
        among += (logits.topk(min(TOP, logits.shape[1])).indices == labels[:, None]).sum()
        losses += functional.cross_entropy(logits.float(), labels, reduction="sum")
    hits, near, loss = summed(view, right, among, losses)
    return Score(hits / len(split), near / len(split), loss / len(split))


def score_on_test(
    model: nn.Module,
    data: Dataset,
    *,
    resolution: int,
    device: str | torch.device | None = None,
    precision: str = "auto",
) -> Score:
    """The score on the test images: for the final figure, once."""
    view = View(resolution, choose_device(device))
    return score(model.to(view.device), data.test(), view, precision=precision)


def choose_device(device: str | torch.device | None = None) -> torch.device:
    """The device asked for; else a GPU if there is one; else the CPU."""
    return torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
