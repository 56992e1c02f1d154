"""The results of a training run, one after each evaluation. Imports no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

from studies.outcome import Outcome


@dataclass(frozen=True)
class Evaluation:
    """The results of one training run up to one of its evaluations.

    Attributes:
        step: 1 for the first evaluation of the run, then 2, 3, ...
        epoch: Passes over the training images so far (a whole number, unless an epoch has several evaluations).
        accuracy: Share of validation images whose class has the highest logit, 0 to 1.
        loss: Mean cross-entropy on the validation images, nats, without label smoothing.
        train_loss: Mean training loss (with smoothing and augmentation) since the previous evaluation.
        images: Training images seen so far, repeats included.
        train_seconds: Wall-clock seconds of training so far.
        eval_seconds: Wall-clock seconds of evaluation so far.
        seed: The run's seed.
        outcome: complete, or nan if a loss is not finite (then the accuracy is 0 and the run ends).
        lr: Learning rate of the last step.
        cpu_seconds: Processor seconds of training so far, of all threads of the process. Other load on the machine
            changes them less than wall-clock seconds.

    """

    step: int
    epoch: float
    accuracy: float
    loss: float
    train_loss: float
    images: int
    train_seconds: float
    eval_seconds: float
    seed: int
    outcome: Outcome = Outcome.COMPLETE
    lr: float = 0.0
    cpu_seconds: float = 0.0

    @classmethod
    def none(cls, seed: int) -> Evaluation:
        """The state before any training."""
        return cls(0, 0.0, 0.0, math.nan, math.nan, 0, 0.0, 0.0, seed)

    def next(
        self,
        *,
        epoch: float,
        accuracy: float,
        loss: float,
        train_loss: float,
        images: int,
        train_seconds: float,
        eval_seconds: float,
        lr: float,
        cpu_seconds: float,
    ) -> Evaluation:
        """The evaluation after this one. Images and seconds are those since this one; they are added to its own."""
        finite = math.isfinite(loss) and math.isfinite(train_loss)
        return Evaluation(
            step=self.step + 1,
            epoch=epoch,
            accuracy=accuracy if finite else 0.0,
            loss=loss,
            train_loss=train_loss,
            images=self.images + images,
            train_seconds=self.train_seconds + train_seconds,
            eval_seconds=self.eval_seconds + eval_seconds,
            seed=self.seed,
            outcome=Outcome.COMPLETE if finite else Outcome.NAN,
            lr=lr,
            cpu_seconds=self.cpu_seconds + cpu_seconds,
        )
