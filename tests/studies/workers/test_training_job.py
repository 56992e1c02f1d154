"""What a worker makes of a job."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest

import search_spaces as ss
from search_spaces.networks.arch import Arch, Stage
from studies.data.config import DataConfig
from studies.data.load import load
from studies.outcome import Outcome
from studies.trainer.checkpoint import load_weights
from studies.trainer.evaluation import Evaluation
from studies.trainer.recipe import Proxy
from studies.trainer.registry import get_recipe
from studies.trainer.scoring import Score, score_on_test
from studies.workers.training_job import Training, evaluate

FULL = ss.get("mobilenet_v2").replace(classes=10)
TINY = Training("fashion-mnist-mini", get_recipe("quick"), Proxy(width=0.05, resolution=8, images=64, epochs=2))


def job(training: Training, seed: int = 5) -> dict[str, object]:
    """A job as it arrives in a worker: through JSON."""
    return json.loads(json.dumps({"arch": FULL.to_json(), "seed": seed, **training.payload()}))  # type: ignore[no-any-return]


def test_a_training_survives_the_journey():
    assert Training.from_job(job(TINY)) == TINY
    assert Training.from_job(job(Training("cifar10", get_recipe("standard")))) == Training(
        "cifar10", get_recipe("standard")
    )


def test_a_commands_training_has_absolute_paths_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    data = dataclasses.replace(load("fashion-mnist-mini"), corrupt=("photos/dark/7.png",))
    monkeypatch.chdir(tmp_path)
    Path("elsewhere").mkdir()
    Path("photos").symlink_to("elsewhere")
    photos = DataConfig("imagefolder:photos")
    folders = Training.of(photos, data, TINY.recipe, Path("runs/a"), split_seed=3, validation=100)
    assert folders.dataset == f"imagefolder:{tmp_path}/elsewhere"
    assert folders.corrupt == (f"{tmp_path}/elsewhere/dark/7.png",)
    assert (folders.data_root, folders.folder) == (f"{tmp_path}/data", f"{tmp_path}/runs/a")
    assert (folders.validation, folders.split_seed) == (100, 3)
    named = Training.of(DataConfig("cifar10"), dataclasses.replace(data, corrupt=()), TINY.recipe, Path("runs/a"))
    assert (named.dataset, named.data_root, named.validation) == ("cifar10", f"{tmp_path}/data", None)


def test_the_proxy_is_trained_and_its_weights_are_kept_with_its_own_arch(tmp_path: Path):
    training = Training(TINY.dataset, TINY.recipe, TINY.proxy, folder=str(tmp_path), keep_weights=True)
    rungs = list(evaluate(job(training)))
    assert [rung["step"] for rung in rungs] == [1, 2]
    assert [rung["images"] for rung in rungs] == [64, 128]
    assert all(rung["cpu_seconds"] > 0 and 0 < rung["train_seconds"] < rung["seconds"] for rung in rungs)
    assert all(rung["outcome"] == "complete" and 0 <= rung["accuracy"] <= 1 for rung in rungs)
    arch, network = load_weights(training.weights(FULL.key, 5))
    assert arch == training.trained(FULL)
    assert sum(p.numel() for p in network.parameters()) == ss.cost(arch).params


def test_a_checkpoint_gives_the_same_rungs_again(tmp_path: Path):
    training = Training(TINY.dataset, TINY.recipe, TINY.proxy, folder=str(tmp_path))
    whole = list(evaluate(job(training)))
    assert training.checkpoint(FULL.key, 5).exists()  # type: ignore[union-attr]
    again = list(evaluate(job(training)))
    assert [rung["accuracy"] for rung in again] == [rung["accuracy"] for rung in whole]


def test_a_training_that_breaks_says_so(monkeypatch: pytest.MonkeyPatch):
    broken = Evaluation(1, 1.0, 0.0, 0.7, math.nan, 64, 1.0, 0.1, 5, Outcome.NAN)
    monkeypatch.setattr("studies.trainer.loop.train", lambda *words, **settings: iter([broken]))
    (rung,) = evaluate(job(TINY))
    assert rung["outcome"] == "nan"


SMALL = Arch(stages=(Stage("sepconv", 3, 2, 8, 1),), stem=8, stem_stride=2, head=16, resolution=8, classes=10)
ALONE = Training("fashion-mnist-mini", get_recipe("quick").replace(epochs=2), images=96, validation=200)


def small_job(training: Training, **more: object) -> dict[str, object]:
    return json.loads(json.dumps({"arch": SMALL.to_json(), "seed": 5, **training.payload(), **more}))  # type: ignore[no-any-return]


def test_without_a_proxy_the_network_itself_is_trained_on_the_trainings_images(tmp_path: Path):
    rungs = list(evaluate(small_job(dataclasses.replace(ALONE, folder=str(tmp_path), keep_weights=True))))
    assert [rung["images"] for rung in rungs] == [96, 192]
    assert load_weights(tmp_path / f"{SMALL.key}-seed5.safetensors")[0] == SMALL
    # 200 validation images: every accuracy is a multiple of 1/200.
    assert all((200 * rung["accuracy"]) == pytest.approx(round(200 * rung["accuracy"])) for rung in rungs)


def test_test_images_are_scored_once_at_the_end(monkeypatch: pytest.MonkeyPatch):
    looks = []

    def look(*_: object, resolution: int, precision: str) -> Score:
        looks.append((resolution, precision))
        return Score(0.5, 1.0, 1.0)

    monkeypatch.setattr("studies.trainer.scoring.score_on_test", look)
    rungs = list(evaluate(small_job(dataclasses.replace(ALONE, test=True))))
    assert ["test_accuracy" in rung for rung in rungs] == [False, True]
    assert rungs[-1]["test_accuracy"] == 0.5
    assert looks == [(8, "auto")]


def test_the_last_rung_of_a_training_that_stopped_early_has_the_test_accuracy():
    hopeless = ALONE.recipe.replace(epochs=9, patience=1, lr=1e-9, ema_decay=0.0)
    rungs = list(evaluate(small_job(dataclasses.replace(ALONE, recipe=hopeless, test=True))))
    assert len(rungs) < 9
    assert ["test_accuracy" in rung for rung in rungs] == [False] * (len(rungs) - 1) + [True]


def test_the_test_accuracy_is_that_of_the_kept_weights(tmp_path: Path):
    training = dataclasses.replace(ALONE, test=True, folder=str(tmp_path), keep_weights=True)
    *_, last = evaluate(small_job(training))
    _, network = load_weights(training.weights(SMALL.key, 5))
    data = load("fashion-mnist-mini", validation=200)
    assert score_on_test(network, data, resolution=8).top1 == pytest.approx(last["test_accuracy"], abs=1e-9)


def test_an_interrupted_test_score_is_made_up_for(tmp_path: Path):
    """A driver that died before the last rung arrived: the checkpoint is whole, the score is still wanted."""
    training = dataclasses.replace(ALONE, test=True, folder=str(tmp_path))
    whole = list(evaluate(small_job(training)))
    again = list(evaluate(small_job(training)))
    assert [rung["accuracy"] for rung in again] == [rung["accuracy"] for rung in whole]
    assert again[-1]["test_accuracy"] == whole[-1]["test_accuracy"]


def test_a_jobs_notes_change_its_recipe():
    plain = list(evaluate(small_job(ALONE)))
    changed = list(evaluate(small_job(ALONE, notes={"recipe": {"lr": 1e-6}, "multiple": 2.0})))
    same = list(evaluate(small_job(ALONE, notes={"recipe": {}})))
    assert [rung["loss"] for rung in same] == [rung["loss"] for rung in plain]
    assert changed[-1]["loss"] != plain[-1]["loss"]
    assert len(list(evaluate(small_job(ALONE, notes={"recipe": {"epochs": 1}})))) == 1


def test_a_training_that_breaks_at_its_end_is_not_scored(monkeypatch: pytest.MonkeyPatch):
    broken = Evaluation(2, 2.0, 0.0, 0.7, math.nan, 64, 1.0, 0.1, 5, Outcome.NAN)
    monkeypatch.setattr("studies.trainer.loop.train", lambda *words, **settings: iter([broken]))
    (rung,) = evaluate(small_job(dataclasses.replace(ALONE, test=True)))
    assert "test_accuracy" not in rung
