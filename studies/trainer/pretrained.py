"""Weights to begin a training with: our own files, or a torchvision state dict; the classifier may be another one."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from search_spaces.networks.module import Network
from search_spaces.networks.torchvision_weights import load_torchvision

CLASSIFIERS = ("classifier.", "fc.")


def initialise_from(network: nn.Module, path: str | Path) -> str:
    """Give a network the weights of a file; says what was taken, and whether the classifier was drawn anew.

    The file is a .safetensors (as `save_weights` writes) or a torch file of a state dict, with our
    names or torchvision's. A classifier for another number of classes is left as the network has it; the image size
    does not matter. Raises ValueError, in one line, naming tensors and shapes, where anything else does not fit.
    """
    assert isinstance(network, Network)
    weights = read_weights(path)
    own = network.state_dict()
    last = {name: value for name, value in weights.items() if name.startswith(CLASSIFIERS)}
    kept = {name: value for name, value in own.items() if name.startswith(CLASSIFIERS)}
    redrawn = bool(last) and _are_for_other_classes(last, kept)
    if redrawn:
        # Under the file's own names, whatever its layout: in both there is one weight and one bias.
        fresh = {name.rpartition(".")[2]: value for name, value in kept.items()}
        weights = weights | {name: fresh.get(name.rpartition(".")[2], value) for name, value in last.items()}
    try:
        load_torchvision(network, weights)
    except ValueError as error:
        raise ValueError(f"--init {path}: {error}; give weights of this network, or its --arch") from None
    return f"begins with {path}" + (f"; {_classes(last, kept)}" if redrawn else "")


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """A state dict from a file. Raises ValueError, in one line, for a file that is none."""
    source = Path(path)
    _check_readable(source)
    try:
        if source.suffix == ".safetensors":
            return load_file(source)
        found = torch.load(source, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, RuntimeError, ValueError, EOFError, KeyError) as error:
        raise ValueError(f"cannot read --init {source}: {_short(error)}") from None
    except Exception as error:
        # torch's unpickler has errors of its own.
        raise ValueError(f"--init {source} is no file of weights: {_short(error)}") from None
    if not isinstance(found, dict) or not all(torch.is_tensor(value) for value in found.values()):
        raise ValueError(f"--init {source} holds no state dict (names and tensors): give one, or a .safetensors file")
    return found


def _check_readable(source: Path) -> None:
    # Before safetensors and torch, whose own messages name the file once more.
    try:
        source.open("rb").close()
    except OSError as error:
        raise ValueError(f"cannot read --init {source}: {error.strerror}") from None


def _are_for_other_classes(theirs: dict[str, Tensor], ours: dict[str, Tensor]) -> bool:
    """Whether two linear layers differ in the number of classes, and in nothing else."""
    shapes = [sorted((tuple(value.shape[1:]), value.shape[0]) for value in part.values()) for part in (theirs, ours)]
    return [row for row, _ in shapes[0]] == [row for row, _ in shapes[1]] and shapes[0] != shapes[1]


def _classes(theirs: dict[str, Tensor], ours: dict[str, Tensor]) -> str:
    before, now = (next(iter(part.values())).shape[0] for part in (theirs, ours))
    return f"its classifier has {before} classes and is drawn anew for {now}"


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
