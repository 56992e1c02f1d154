"""Checkpoints: written whole or not at all, and read without running code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from studies.trainer.checkpoint import (
    MAX_REASON_CHARACTERS,
    check_weights,
    load_state,
    load_weights,
    reason,
    save_state,
    save_weights,
)
from studies.trainer.loop import new_network
from studies.trainer.recipe import Recipe
from tests.studies.tiny import TINY

CPU = torch.device("cpu")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "seeds" / "seed0.ckpt"


def test_a_state_comes_back(path: Path) -> None:
    save_state(path, {"run": {"seed": 3}, "curve": [{"epoch": 0.5}], "model": {"weight": torch.arange(3.0)}})
    state = load_state(path, {"seed": 3}, CPU)
    assert state["curve"] == [{"epoch": 0.5}]
    assert torch.equal(state["model"]["weight"], torch.arange(3.0))


def test_a_state_that_cannot_be_written_leaves_the_old_one(path: Path) -> None:
    save_state(path, {"run": {}, "step": 1})
    with pytest.raises(Exception, match="pickle"):
        save_state(path, {"run": {}, "step": lambda: 2})
    assert load_state(path, {}, CPU)["step"] == 1
    assert list(path.parent.iterdir()) == [path]


def test_no_code_of_a_file_is_run(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()

    class Attack:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "made"),)

    torch.save({"run": {}, "model": Attack()}, path)
    with pytest.raises(ValueError, match=path.name) as caught:
        load_state(path, {}, CPU)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("state", [{}, [], {"run": {"seed": 1}}])
def test_a_state_of_no_run_or_another_is_refused(path: Path, state: dict[str, object]) -> None:
    save_state(path, state)
    with pytest.raises(ValueError, match=path.name):
        load_state(path, {"seed": 0}, CPU)


def test_missing_weights_are_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nothing\.safetensors .*: train again$"):
        check_weights(tmp_path / "nothing.safetensors", "train again")


def test_a_reason_is_one_short_line() -> None:
    assert reason(OSError("no\n  space")) == "no space"
    assert reason(EOFError()) == "EOFError"
    assert len(reason(ValueError("word " * 100))) <= MAX_REASON_CHARACTERS


def test_weights_come_back_with_their_arch(tmp_path: Path) -> None:
    model = new_network(TINY, Recipe(), seed=1).eval()
    save_weights(model, TINY, tmp_path / "weights.safetensors")
    arch, again = load_weights(tmp_path / "weights.safetensors")
    assert arch == TINY
    images = torch.randn(2, 3, 28, 28)
    assert torch.equal(again(images), model(images))
    (tmp_path / "weights.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"weights\.safetensors"):
        load_weights(tmp_path / "weights.safetensors")
