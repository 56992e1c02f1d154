"""The report of a training, as a person reads it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from studies.train.config import TrainConfig
from studies.train.plan import prepare
from studies.train.report import report
from studies.train.run import Trained
from studies.trainer.evaluation import Evaluation
from studies.trainer.scoring import Score

GOLDEN = Path(__file__).with_name("report.txt")


def trained(seed: int, epoch: float, epochs: float, validation: float, top1: float) -> Trained:
    row = Evaluation.none(seed).next(
        epoch=epochs, accuracy=validation, loss=0.5, train_loss=0.6, images=8000, train_seconds=30.0, eval_seconds=7.0,
        cpu_seconds=29.0, lr=0.0,
    )  # fmt: skip
    score = Score(top1, 0.992, 0.5)
    return Trained(seed, epoch, epochs, validation, score, f"seeds/seed{seed}.safetensors", (row,))


def text(*seeds: Trained, **settings: Any) -> str:
    plan = prepare(TrainConfig(arch="triaxis_small", resolution=16, recipe="quick", device="cpu", **settings))
    folder = Path("runs/small")
    run: Any = SimpleNamespace(folder=folder, path=lambda name: folder / name)
    return report(plan, seeds, run)


def test_the_report_as_a_person_reads_it() -> None:
    one = text(trained(0, 12, 12, 0.855, 0.845), epochs=12)
    settings = {"epochs": 12, "patience": 3, "seeds": 2, "dropout": 0.3, "precision": "bfloat16", "clip_norm": 2.0}
    early = text(trained(0, 5, 8, 0.8, 0.79), trained(1, 6, 9, 0.82, 0.81), **settings)
    assert f"{one}\n\n---\n\n{early}\n" == GOLDEN.read_text()
