"""The weights of a run's best evaluation so far, for runs that end when nothing gets better."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


class BestWeights:
    """A copy of the judged weights at the evaluation with the highest accuracy, the first of equals.

    step      which evaluation that was, from 1 on; 0: none yet
    accuracy  on the validation images, 0 to 1
    """

    def __init__(self) -> None:
        self.step = 0
        self.accuracy = 0.0
        self._weights: dict[str, Tensor] = {}

    def offer(self, model: nn.Module, accuracy: float, step: int) -> None:
        """Copy the model's weights if they are better than those kept."""
        if not self.step or accuracy > self.accuracy:
            self.step, self.accuracy = step, accuracy
            self._weights = {name: value.detach().clone() for name, value in model.state_dict().items()}

    def give_to(self, model: nn.Module) -> None:
        """Put the weights kept into a model of the same layers."""
        model.load_state_dict(self._weights)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"step": self.step, "accuracy": self.accuracy, "weights": self._weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self.step, self.accuracy, self._weights = state["step"], state["accuracy"], state["weights"]
