"""Early stopping: when a run should stop, and the weights of its best evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from studies.trainer.evaluation import Evaluation
from studies.trainer.progressive import last_stage_start
from studies.trainer.recipe import Recipe


def should_stop(curve: Sequence[Evaluation], recipe: Recipe) -> bool:
    """Whether the validation accuracy has not improved for as many epochs as the recipe's patience; never if it is 0.

    Only epochs of the last stage count, because images and regularisation still change before it.
    """
    start = last_stage_start(recipe)
    counted = [row for row in curve if row.epoch > start]
    if not recipe.patience or not counted:
        return False
    best = max(counted, key=lambda row: row.accuracy)
    return counted[-1].epoch - best.epoch >= recipe.patience


class BestWeights:
    """A copy of a network's weights and buffers at the best evaluation so far; of equally good ones, the first."""

    def __init__(self) -> None:
        self.accuracy = -1.0
        self.weights: dict[str, Tensor] = {}

    def offer(self, model: nn.Module, accuracy: float) -> None:
        """Copy the model if its accuracy is higher than that of all models before."""
        if accuracy > self.accuracy:
            self.accuracy = accuracy
            with torch.no_grad():
                self.weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        """The state for a checkpoint."""
        return {"accuracy": self.accuracy, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state from a checkpoint."""
        self.accuracy, self.weights = state["accuracy"], state["weights"]
