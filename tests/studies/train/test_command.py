"""`python -m studies.train`: what it refuses and writes, and that it resumes exactly after a kill."""

from __future__ import annotations

import dataclasses
import json
import re
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import search_spaces as ss
from studies.data.dataset import check_images
from studies.data.load import load
from studies.data.splits import View
from studies.train.__main__ import main
from studies.train.config import TrainConfig
from studies.train.plan import prepare
from studies.trainer.checkpoint import load_weights
from studies.trainer.loop import train
from studies.trainer.registry import RECIPES, get_recipe
from studies.trainer.scoring import score
from tests.studies.trainings import PATIENCE, TINY, curve, rows, started, wait_for_rows, words


def test_what_a_training_leaves(arch: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert main(words(arch, run, "--seeds", "2")) == 0
    assert [(row["seed"], row["epoch"]) for row in rows(run)] == [(s, e) for s in "01" for e in "123"]
    result = json.loads((run / "result.json").read_text())
    assert result["arch"] == TINY.replace(classes=10).key
    assert [one["seed"] for one in result["seeds"]] == [0, 1]
    means = sum(one["test"]["top1"] for one in result["seeds"]) / 2
    assert result["test_top1"]["value"] == pytest.approx(means)
    assert result["test_top1"]["low"] < means < result["test_top1"]["high"]
    # The weights are what the report says they are: scored once more, from the files alone.
    found, model = load_weights(run / "seeds" / "seed1.safetensors")
    assert found == TINY.replace(classes=10)
    again = score(model, load("fashion-mnist-mini", validation=100).test(), View(16))
    assert again.top1 == pytest.approx(result["seeds"][1]["test"]["top1"])
    assert again.top1 <= again.top5 <= 1
    assert not list((run / "seeds").glob("*.ckpt"))
    # As the documentation says it.
    network = ss.build(ss.Arch.load(run / "seeds" / "seed0.json"))
    network.load_state_dict(load_file(run / "seeds" / "seed0.safetensors"))


def test_a_finished_run_is_shown_and_more_seeds_join_it(
    arch: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    main(words(arch, run))
    before = curve(run)
    weights = (run / "seeds" / "seed0.safetensors").stat().st_mtime_ns
    capsys.readouterr()
    main(words(arch, run))
    assert "nothing was trained now" in capsys.readouterr().out
    main(words(arch, run, "--seeds", "2"))
    assert curve(run)[:3] == before
    assert len(curve(run)) == 6
    assert (run / "seeds" / "seed0.safetensors").stat().st_mtime_ns == weights
    with pytest.raises(ValueError, match="epochs=3, now 4"):
        main(words(arch, run, "--epochs", "4"))
    other = dataclasses.replace(TINY, head=24)
    other.save(arch)
    with pytest.raises(ValueError, match=other.replace(classes=10).key):
        main(words(arch, run, "--seeds", "3"))


def test_killed_then_interrupted_it_goes_on_exactly(arch: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    # Long enough that the signals meet it at work, on a busy machine too.
    more = ("--epochs", "10", "--images", "800", "--seed", "4", "--patience", "9")
    assert main(words(arch, whole, *more)) == 0
    for fault, code, least in ((signal.SIGKILL, -signal.SIGKILL, 1), (signal.SIGINT, 130, 3)):
        with started(words(arch, broken, *more)) as process:
            wait_for_rows(broken, least, process)
            process.send_signal(fault)
            _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == code, errors
        if fault == signal.SIGINT:
            assert errors.splitlines() == ["interrupted: run the same command to resume"]
        assert not (broken / "result.json").exists()
    assert main(words(arch, broken, *more)) == 0
    assert curve(broken) == curve(whole)
    first, second = (load_file(run / "seeds" / "seed4.safetensors") for run in (whole, broken))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    statuses = [session["status"] for session in json.loads((broken / "manifest.json").read_text())["sessions"]]
    assert statuses == ["killed", "interrupted", "finished"]


def test_early_stopping_says_whose_weights_are_kept(
    arch: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    # So small a learning rate changes nothing: the first epoch stays the best.
    main(words(arch, run, "--epochs", "9", "--patience", "2", "--lr", "1e-12"))
    (one,) = json.loads((run / "result.json").read_text())["seeds"]
    assert len(rows(run)) == one["epochs"] < 9
    best = max(rows(run), key=lambda row: float(row["validation_accuracy"]))
    assert one["epoch"] == float(best["epoch"])
    assert one["validation"] == float(best["validation_accuracy"])


def test_a_loss_that_is_not_finite_is_said(arch: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"seed 0 .*--lr.*1e\+30"):
        main(words(arch, tmp_path / "run", "--lr", "1e30"))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--arch efficientnet_b9", "efficientnet_b"),
        ("--recipe quik", "'quick'"),
        ("--dataset fashion", "'fashion-mnist'"),
        ("--resolution 7", "at least 8"),
        ("--recipe efficientnetv2_s --epochs 3", "--epochs must be at least 4"),
        (
            "--arch efficientnet_b0 --resolution 64 --recipe efficientnetv2_s --epochs 4",
            "--resolution 64 .* at least 95",
        ),
        ("--seeds 0", "--seeds"),
        ("--lr 0", "--lr"),
        ("--workers 4096", "--workers 4096"),
        ("--init nowhere.safetensors", r"--init nowhere\.safetensors"),
        ("--init nowhere.pth", r"--init nowhere\.pth"),
        ("--init /", "--init /"),
        ("--micro-batch 26", "--micro-batch .* 25 .* 26"),
        ("--precision float16", "--precision float16"),
        ("--precision bfloat", "'bfloat16'"),
        ("--dropout 1", "--dropout"),
        ("--clip-norm -1", "--clip-norm"),
        (
            "--resolution 8 --batch-size 1",
            "--batch-size 1 .* at least 3",
        ),
        (
            "--resolution 8 --micro-batch 2",
            "--micro-batch 2 .* --resolution",
        ),
        # Of 10 000 training images 100 are held out.
        ("--images 9901", "--images 9901 .* 9900"),
        ("--images 9901 --dry-run", "--images 9901 .* 9900"),
        ("--batch-size 100000000", r"--batch-size \d+"),
    ],
)
def test_mistakes_are_said_before_anything_is_written(arch: Path, tmp_path: Path, flags: str, message: str) -> None:
    run = tmp_path / "run"
    with pytest.raises(ValueError, match=message):
        main(words(arch, run, *flags.split()))
    assert not run.exists()


def test_flags_and_a_recipe_with_their_values_are_checked_alike() -> None:
    """So a recipe in float16 is refused on a CPU as `--precision float16` is."""
    asked = TrainConfig(recipe="quick", precision="float16", clip_norm=2.0, batch_size=16, patience=3)
    assert asked.schedule == get_recipe("quick").replace(precision="float16", clip_norm=2.0, batch_size=16, patience=3)


def test_all_images_and_a_whole_batch_may_be_asked_for(arch: Path) -> None:
    config = TrainConfig(arch=str(arch), batch_size=25, micro_batch=25, device="cpu")
    assert prepare(config).recipe.micro_batch == 25
    data = load("fashion-mnist-mini", validation=100)
    for images in (0, 9900):
        check_images(images, data)


@pytest.mark.parametrize("name", ["efficientnet_b7", "efficientnet_b4"])
def test_a_published_network_has_its_published_dropout(name: str) -> None:
    """EN's released code: 0.4 for B4, 0.5 for B7; the recipe itself has B0's 0.2."""
    base = {"arch": name, "recipe": "efficientnet", "resolution": 64, "batch_size": 4, "device": "cpu"}
    plan = prepare(TrainConfig(**base))
    published = {"efficientnet_b7": 0.5, "efficientnet_b4": 0.4}[name]
    assert plan.recipe.dropout == published
    (note,) = [note for note in plan.notes if "--dropout" in note]
    assert name in note
    assert str(published) in note
    asked = prepare(TrainConfig(**base, dropout=0.1))
    assert asked.recipe.dropout == 0.1
    assert not any("--dropout" in note for note in asked.notes)


def test_other_networks_and_recipes_have_the_recipes_dropout(arch: Path) -> None:
    plan = prepare(TrainConfig(arch=str(arch), recipe="efficientnet", device="cpu"))
    assert plan.recipe.dropout == 0.2
    assert TrainConfig(recipe="efficientnetv2_s", dropout=0.05).schedule.start_dropout == 0.05
    assert TrainConfig(recipe="efficientnetv2_s", dropout=0.4).schedule.start_dropout == 0.1


def test_dropout_precision_and_clipping_can_be_asked_for(arch: Path, tmp_path: Path) -> None:
    more = "--epochs 1 --dropout 0.3 --precision bfloat16 --clip-norm 2"
    assert main(words(arch, tmp_path / "run", *more.split())) == 0
    recipe = json.loads((tmp_path / "run" / "result.json").read_text())["recipe"]
    assert (recipe["dropout"], recipe["precision"], recipe["clip_norm"]) == (0.3, "bfloat16", 2.0)
    assert (recipe["name"], recipe["source"]) == ("quick", RECIPES["quick"].source)


def test_batches_of_three_train_where_the_last_map_is_one_pixel(arch: Path, tmp_path: Path) -> None:
    """200 images are 67 batches of 3 or 2. With batches of 2, 199 images would leave one on its own."""
    assert main(words(arch, tmp_path / "run", "--resolution", "8", "--batch-size", "3", "--epochs", "1")) == 0
    data = load("fashion-mnist-mini", validation=100)
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        list(train(TINY, data, get_recipe("quick").replace(batch_size=2), seed=0, view=View(8), images=199))


def test_fine_tuning_takes_all_but_another_classifier(arch: Path, tmp_path: Path) -> None:
    before = ss.build(TINY.replace(classes=7))
    source = tmp_path / "seven.safetensors"
    save_file(before.state_dict(), source)
    plan = prepare(TrainConfig(arch=str(arch), init=str(source), resolution=24, device="cpu"))
    (note,) = plan.notes
    assert re.findall(r"\d+", note.partition(str(source))[2]) == ["7", "10"]
    assert plan.arch.resolution == 24
    # A learning rate of next to nothing leaves them what they were.
    main(words(arch, tmp_path / "run", "--init", str(source), "--resolution", "24", "--lr", "1e-12", "--epochs", "1"))
    after = load_file(tmp_path / "run" / "seeds" / "seed0.safetensors")
    for name, value in before.named_parameters():
        if not name.startswith("classifier"):
            torch.testing.assert_close(after[name], value.detach(), atol=1e-6, rtol=0)
    assert after["classifier.1.weight"].shape == (10, 16)


def test_a_dry_run_writes_nothing(arch: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(words(arch, tmp_path / "run", "--dry-run"))
    out = capsys.readouterr().out
    assert "images/s in one process, 1 thread (cpu)" in out
    assert not (tmp_path / "run").exists()
