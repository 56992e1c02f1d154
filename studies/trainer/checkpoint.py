"""Checkpoints of a training run, and files of finished weights with their arch."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from search_spaces.common.files import replacing
from search_spaces.networks.arch import Arch

MAX_REASON_CHARACTERS = 160


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write the state (tensors, numbers, strings, lists, dicts) atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        torch.save(state, temporary)


def load_state(path: Path, run: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """Read a state that `save_state` wrote, with its tensors on `device`. No code in the file is executed.

    Raises ValueError if the file cannot be read, or if its "run" differs from `run`, naming the first difference.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        stored = state["run"]
    except Exception as error:
        raise ValueError(
            f"{path} cannot be read as a checkpoint ({reason(error)}): delete it to start the training again"
        ) from None
    for name, value in run.items():
        if stored.get(name) != value:
            raise ValueError(
                f"{path} belongs to another run ({name} was {stored.get(name)}, now {value}): delete it to start the "
                "training again, or choose another --run"
            )
    return state


def save_weights(model: nn.Module, arch: Arch, path: str | Path) -> None:
    """Write the weights as safetensors and their arch to a .json file of the same name; both atomically."""
    target = Path(path)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with replacing(target) as temporary:
        save_file(tensors, temporary, metadata={"arch": arch.key})
        arch.save(target.with_suffix(".json"))


def check_weights(path: Path, remedy: str) -> None:
    """Raise ValueError, ending in `remedy`, if the header or the length shows that a file of weights is incomplete."""
    try:
        with safe_open(path, framework="pt"):
            pass
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path} is missing or incomplete ({reason(error)}): {remedy}") from None


def load_weights(path: str | Path) -> tuple[Arch, nn.Module]:
    """Read a network that `save_weights` wrote: its arch, and the network in evaluation mode.

    Raises ValueError, in one line, if a file is missing or damaged.
    """
    from search_spaces.networks.module import build

    target = Path(path)
    arch = Arch.load(target.with_suffix(".json"))
    model: nn.Module = build(arch)
    try:
        model.load_state_dict(load_file(target))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ValueError(f"cannot read weights {target}: {reason(error)}") from None
    return arch, model.eval()


def reason(error: BaseException) -> str:
    """A library's error as one short line."""
    return textwrap.shorten(str(error) or type(error).__name__, MAX_REASON_CHARACTERS, placeholder=" ...")
