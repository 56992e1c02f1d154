"""Initial weights of a training from a file: one of ours, or a torchvision state dict.

The classifier may have another number of classes.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from search_spaces.networks.module import Network
from search_spaces.networks.torchvision_weights import load_torchvision
from studies.trainer.checkpoint import reason

# Names of the last linear layer's tensors, ours and torchvision's.
CLASSIFIER_PREFIXES = ("classifier.", "fc.")


def initialise_from(network: nn.Module, path: str | Path) -> int | None:
    """Load a file's weights into a network of ours, in place.

    The file is a .safetensors of `save_weights`, or a torch file of a state dict with our names or torchvision's. Image
    sizes do not matter. If the file's classifier has another number of classes, the network keeps its own classifier
    and the result is the file's number of classes; else the result is None. Raises ValueError, in one line that names
    tensors and shapes, if anything else does not fit.
    """
    assert isinstance(network, Network)
    weights = read_weights(path)
    theirs, ours = _classifier(weights), _classifier(network.state_dict())
    differs = _differ_in_classes(theirs, ours)
    if differs:
        # Replaced under the file's own names. Names in all layouts end in .weight and .bias.
        kept = {name.rpartition(".")[2]: tensor for name, tensor in ours.items()}
        weights = weights | {name: kept.get(name.rpartition(".")[2], tensor) for name, tensor in theirs.items()}
    try:
        load_torchvision(network, weights)
    except ValueError as error:
        raise ValueError(
            f"--init {path}: {error}; use weights of this network, or the --arch of these weights"
        ) from None
    return next(iter(theirs.values())).shape[0] if differs else None


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict. Raises ValueError, in one line, if the file holds none. No code in the file is executed."""
    source = Path(path)
    _check_readable(source)
    try:
        if source.suffix == ".safetensors":
            return load_file(source)
        found = torch.load(source, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, RuntimeError, ValueError, EOFError, KeyError) as error:
        raise ValueError(f"cannot read --init {source}: {reason(error)}") from None
    except Exception as error:
        # torch's unpickler raises errors of its own classes.
        raise ValueError(f"--init {source} is not a file of weights: {reason(error)}") from None
    if not isinstance(found, dict) or not all(torch.is_tensor(value) for value in found.values()):
        raise ValueError(
            f"--init {source} holds no state dict, which maps names to tensors: save model.state_dict(), or use a "
            ".safetensors file"
        )
    return found


def _check_readable(source: Path) -> None:
    """Raise ValueError if a file cannot be opened: the messages of safetensors and torch would repeat its name."""
    try:
        source.open("rb").close()
    except OSError as error:
        raise ValueError(f"cannot read --init {source}: {error.strerror}") from None


def _classifier(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in weights.items() if name.startswith(CLASSIFIER_PREFIXES)}


def _differ_in_classes(theirs: dict[str, Tensor], ours: dict[str, Tensor]) -> bool:
    """Whether two linear layers differ only in the number of classes, dimension 0 of weight and bias."""
    shapes = [sorted((tuple(tensor.shape[1:]), tensor.shape[0]) for tensor in part.values()) for part in (theirs, ours)]
    inputs = [[row for row, _ in part] for part in shapes]
    return inputs[0] == inputs[1] and shapes[0] != shapes[1]
