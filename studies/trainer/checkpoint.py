"""A training run's state on disk, and finished weights with the arch that was trained."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from search_spaces.networks.arch import Arch


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write the state (tensors, numbers, strings, lists, dicts) atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        torch.save(state, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def load_state(path: Path, run: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """Read what `save_state` wrote (weights_only: nothing is executed).

    Raises ValueError, naming what differs, where the state belongs to another run than `run` describes.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        stored = state["run"]
    except Exception as error:
        raise ValueError(
            f"{path} is no checkpoint of a training run ({_short(error, 120)}): delete it to start anew"
        ) from None
    differing = [name for name in run if stored.get(name) != run[name]]
    if differing:
        name = differing[0]
        raise ValueError(
            f"{path} belongs to another run: {name} was {stored.get(name)}, now {run[name]}: delete it to start anew, "
            "or choose another --run"
        )
    return state


def save_weights(model: nn.Module, arch: Arch, path: str | Path) -> None:
    """Write the weights as safetensors and, beside them (same name, .json), the arch that was trained; atomically."""
    target = Path(path)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        save_file(tensors, temporary, metadata={"arch": arch.key})
        arch.save(target.with_suffix(".json"))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def check_weights(path: Path, remedy: str) -> None:
    """Raise ValueError, ending in the remedy, for a file that is not whole: its header and its length are looked at."""
    try:
        with safe_open(path, framework="pt"):
            pass
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path} holds no whole weights ({_short(error, 120)}): {remedy}") from None


def load_weights(path: str | Path) -> tuple[Arch, nn.Module]:
    """The arch and the network that `save_weights` wrote, in eval mode. ValueError, in one line, for anything else."""
    from search_spaces.networks.module import build

    target = Path(path)
    arch = Arch.load(target.with_suffix(".json"))
    model: nn.Module = build(arch)
    try:
        model.load_state_dict(load_file(target))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ValueError(f"cannot read weights {target}: {_short(error, 200)}") from None
    return arch, model.eval()


def _short(error: BaseException, most: int) -> str:
    return " ".join(str(error).split())[:most]
