"""What curves keep of their trainings: networks, seeds, weights and latencies, from trials that are made up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from scaling.curves import run
from scaling.curves.config import CurvesConfig
from scaling.curves.plan import prepare
from studies.outcome import Outcome
from studies.timing.latency import Latency
from studies.workers.config import WorkersConfig


class Trained:
    """An experiment whose trainings are made up: every wanted network, but not `lost`."""

    factor = 1.0

    def __init__(self, folder: Path, lost: str, settings: CurvesConfig) -> None:
        self.folder, self.lost, self.settings, self.asked = folder, lost, settings, dict[str, Any]()
        self.training = self.workers = self
        self.stopped = False

    def at(self, factor: float) -> Trained:
        assert factor == 1.0
        return self

    def stop(self) -> None:
        self.stopped = True

    def weights(self, key: str, seed: int) -> Path:
        return self.folder / f"{key}-seed{seed}.safetensors"

    def train(self, kind: str, wanted: Sequence[Any], **how: Any) -> list[Any]:
        self.asked = {"kind": kind, **how}
        records = []
        for member, seed in wanted:
            ended = member.arch.key != self.lost
            for ending in (".safetensors", ".json") if ended else ():
                self.weights(member.arch.key, seed).with_suffix(ending).write_text("")
            records.append(made_up(member.arch.key, seed, ended))
        return records


def made_up(key: str, seed: int, ended: bool) -> Any:
    class Made:
        outcome = Outcome.COMPLETE if ended else Outcome.NAN
        accuracy, seconds = 0.5, 2.0
        rungs = ({"step": 1, "test_accuracy": 0.4 + seed / 100},)

    made = Made()
    made.key, made.seed = key, seed  # type: ignore[attr-defined]
    return made


def test_points_are_read_off_the_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = prepare(CurvesConfig(baseline="mobilenet_v2", workers=WorkersConfig(1), seeds=2, main_seeds=6))
    measured: list[int] = []

    def measure(archs: Sequence[Any], conditions: Any) -> list[Latency]:
        assert experiment.stopped, "Ray must not compute beside it"
        measured.append(len(archs))
        return [Latency.of((0.003,), conditions, channels_last=True)] * len(archs)

    monkeypatch.setattr(run, "measure_all", measure)
    lost = plan.points[3]
    experiment = Trained(tmp_path, lost.arch.key, plan.config)
    result = run.run_curves(plan, experiment)  # type: ignore[arg-type]
    assert experiment.asked == {"kind": "curves", "keep_weights": True, "test": True, "halving": 0}
    assert [one.planned for one in result.points] == [place for place in plan.points if place is not lost]
    assert measured == [len({one.planned.arch.key for one in result.points})]
    for one in result.points:
        seeds = range(6 if plan.is_main(one.planned) else 2)
        assert one.test == {seed: 0.4 + seed / 100 for seed in seeds}
        assert one.weights == f"weights/{one.planned.arch.key}-seed0.safetensors"
    # One set of weights a network is kept.
    assert {path.stem.rpartition("-")[2] for path in tmp_path.iterdir()} == {"seed0"}
