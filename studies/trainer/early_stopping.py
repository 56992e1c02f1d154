"""Early stopping: when a run has stopped getting better, and the weights it had at its best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from studies.trainer.evaluation import Evaluation
from studies.trainer.progressive import last_stage
from studies.trainer.recipe import Recipe


def should_stop(curve: Sequence[Evaluation], recipe: Recipe) -> bool:
    """Whether the last epochs, as many as the recipe's patience, brought no better validation accuracy.

    Only epochs of the last stage count: before, a larger size or more regularisation is still to come. With a patience
    of 0 no run is over before its end.
    """
    since = last_stage(recipe)
    later = [row for row in curve if row.epoch > since]
    if not recipe.patience or not later:
        return False
    best = max(later, key=lambda row: row.accuracy)
    return later[-1].epoch - best.epoch >= recipe.patience


class BestWeights:
    """A copy of a network's weights and buffers as they were at the best evaluation so far; the first of equals."""

    def __init__(self) -> None:
        self.accuracy = -1.0
        self.weights: dict[str, Tensor] = {}

    def offer(self, model: nn.Module, accuracy: float) -> None:
        """Copy the model if it has become better."""
        if accuracy > self.accuracy:
            self.accuracy = accuracy
            with torch.no_grad():
                self.weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"accuracy": self.accuracy, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what a checkpoint kept."""
        self.accuracy, self.weights = state["accuracy"], state["weights"]
