"""Training a network: one flat loop that yields an Evaluation after each epoch."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from search_spaces.networks.arch import Arch
from studies.data.dataset import Dataset
from studies.data.splits import Split, View
from studies.outcome import Outcome
from studies.trainer.checkpoint import load_state, save_state
from studies.trainer.distributed import sum_over_ranks, synchronise_norms
from studies.trainer.early_stopping import BestWeights, should_stop
from studies.trainer.evaluation import Evaluation
from studies.trainer.gradients import backward, gradient_scaler, optimizer_step
from studies.trainer.kernels.cpu import accelerate, keep_freed_memory
from studies.trainer.loader import Loader
from studies.trainer.optimizers import learning_rate, make_optimizer, moving_average, set_learning_rate
from studies.trainer.progressive import training_stages
from studies.trainer.recipe import Recipe
from studies.trainer.scoring import choose_device, score
from studies.trainer.segments import Segment, derive_seed, seeded

# Steps between checks that the loss is finite. A check waits until a GPU has finished its work.
STEPS_PER_CHECK = 16


def train(
    network: Arch | nn.Module,
    data: Dataset,
    recipe: Recipe,
    *,
    seed: int,
    view: View | None = None,
    images: int = 0,
    rungs_per_epoch: int = 1,
    checkpoint: Path | None = None,
) -> Iterator[Evaluation]:
    """Train a network and yield an Evaluation on the validation images after each epoch, or part of one.

    network          an Arch, built by `new_network`, or a module, which is trained in place: when the run ends it has
                     the weights evaluated last (with ema_decay, the average; with patience, the best)
    view             resolution of the evaluated images, device, and rank among the processes that train the network
                     together, each on its part of every batch; the memory layout is the recipe's. Ranks share images
                     and seeds, but not the random numbers of dropout and stochastic depth. Default: `default_view`
    images           train on a stratified subset of this many images, the same one for all seeds; 0 is all
    rungs_per_epoch  evaluations in each epoch, evenly spaced
    checkpoint       file of the run's state after each evaluation. If it exists the run resumes: the stored evaluations
                     are yielded first, and the others are those of an uninterrupted run, bit for bit

    On a CPU the network's convolutions get faster classes (`trainer.kernels`), and the process keeps freed memory.
    A run on one CPU thread is repeatable bit for bit; the caller sets the number of threads. A loss that is not finite
    gives an Evaluation with outcome nan and ends the run. The recipe's patience can end a run early.

    Raises ValueError for images below the network's total stride and for a precision that the device lacks, and
    torch.OutOfMemoryError.
    """
    view = replace(view or default_view(network, data), channels_last=recipe.channels_last)
    loader = Loader(data.train.take(images, seed=0) if images else data.train, recipe, view, seed, rungs_per_epoch)
    state = start(network, recipe, view, seed)
    facts = run_facts(state.model, data.name, loader)
    curve = state.restore(checkpoint, facts) if checkpoint and checkpoint.exists() else []
    yield from curve
    for segment in loader.segments()[len(curve) :]:
        if curve and curve[-1].outcome is Outcome.NAN:
            return
        if should_stop(curve, recipe):
            break
        before = curve[-1] if curve else Evaluation.none(seed)
        curve.append(fit_and_score(state, loader, segment, data.validation, before))
        if state.best:
            state.best.offer(state.evaluated, curve[-1].accuracy)
        if checkpoint and view.rank == 0:
            state.save(checkpoint, facts, curve)
        yield curve[-1]
    state.finish()


def fit_and_score(
    state: TrainingState, loader: Loader, segment: Segment, validation: Split, before: Evaluation
) -> Evaluation:
    """Train for one segment, then evaluate on the validation images. `before` is the evaluation before this one."""
    began, cpu_began = time.perf_counter(), time.process_time()
    train_loss, seen = fit(state, loader, segment)
    trained, cpu_seconds = time.perf_counter(), time.process_time() - cpu_began
    found = score(state.evaluated, validation, loader.view, precision=loader.recipe.precision)
    return before.next(
        epoch=segment.last / segment.total * loader.recipe.epochs,
        accuracy=found.top1,
        loss=found.loss,
        train_loss=train_loss,
        images=seen,
        train_seconds=trained - began,
        eval_seconds=time.perf_counter() - trained,
        lr=state.optimizer.param_groups[0]["lr"],
        cpu_seconds=cpu_seconds,
    )


def fit(state: TrainingState, loader: Loader, segment: Segment) -> tuple[float, int]:
    """Train for one segment. Returns the mean loss and the number of images seen, of all ranks together."""
    model, recipe, view, stage = state.model, loader.recipe, loader.view, loader.stage(segment)
    if recipe.stages > 1:
        set_dropout(model, stage.dropout)
    classes = classes_of(model) if stage.mixup or stage.cutmix else 0
    losses, seen = torch.zeros((), device=view.device), 0
    model.train()
    with seeded(loader.random_seed(segment), view.device):
        for step, (images, labels) in enumerate(loader.batches(segment, classes), segment.first):
            set_learning_rate(state.optimizer, learning_rate(recipe, step, segment.total))
            loss = backward(model, state.scaler, recipe, images, labels, view)
            optimizer_step(model, state.optimizer, state.scaler, recipe.clip_norm)
            if state.average:
                state.average.update_parameters(model)
            losses += loss * len(labels)
            seen += len(labels)
            if step % STEPS_PER_CHECK == 0 and not math.isfinite(*sum_over_ranks(view, losses)):
                break
    loss_sum, images_seen = sum_over_ranks(view, losses, seen)
    return loss_sum / images_seen, int(images_seen)


def new_network(arch: Arch, recipe: Recipe, seed: int) -> nn.Module:
    """The arch's network with the recipe's dropout and stochastic depth, its weights drawn from `seed`.

    The weights of a layer depend only on the seed, the layer's name and its shape. Two networks therefore begin with
    the same weights in the layers that they share, so that trainings with one seed can be compared as pairs.
    """
    from search_spaces.networks.module import build, initialise

    with seeded(derive_seed(seed), torch.device("cpu")):
        network = build(arch, dropout=recipe.dropout, stochastic_depth=recipe.stochastic_depth)
    for name, module in network.named_modules():
        if not any(module.children()):
            with seeded(derive_seed(seed, crc32(name.encode())), torch.device("cpu")):
                initialise(module)
    return network


@dataclass(frozen=True, eq=False)
class TrainingState:
    """What changes while a network is trained, and what a checkpoint holds.

    average  moving average of the weights; None without ema_decay
    best     the weights of the best evaluation so far; None without patience
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    average: AveragedModel | None = None
    best: BestWeights | None = None

    @property
    def evaluated(self) -> nn.Module:
        """The network that is evaluated: the average if there is one."""
        return self.average.module if self.average else self.model

    def finish(self) -> None:
        """Give the network its final weights: those of the best evaluation, or the average."""
        if self.best:
            self.model.load_state_dict(self.best.weights)
        elif self.average:
            self.model.load_state_dict(self.average.module.state_dict())

    def save(self, path: Path, facts: dict[str, Any], curve: list[Evaluation]) -> None:
        """Write the state after the last evaluation of the curve."""
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        rows = [dataclasses.asdict(row) | {"outcome": str(row.outcome)} for row in curve]
        save_state(path, {"run": facts, "curve": rows, **parts})

    def restore(self, path: Path, facts: dict[str, Any]) -> list[Evaluation]:
        """Load the stored state. Returns the stored curve. Raises ValueError if the file belongs to another run."""
        state = load_state(path, facts, next(self.model.parameters()).device)
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        return [Evaluation(**row | {"outcome": Outcome(row["outcome"])}) for row in state["curve"]]

    def _parts(self) -> dict[str, Any]:
        parts = {"model": self.model, "optimizer": self.optimizer, "scaler": self.scaler}
        optional = {"average": self.average, "best": self.best}
        return parts | {name: part for name, part in optional.items() if part is not None}


def start(network: Arch | nn.Module, recipe: Recipe, view: View, seed: int) -> TrainingState:
    """The state before the first step, with the network on its device and in the recipe's memory layout.

    Raises ValueError if a stage's images are smaller than the network's total stride.
    """
    training_stages(recipe, view.resolution, total_stride(network))
    model = new_network(network, recipe, seed) if isinstance(network, Arch) else network
    layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
    model.to(device=view.device, memory_format=layout)  # type: ignore[call-overload]
    if view.device.type == "cpu":
        accelerate(model)
        keep_freed_memory()
    set_norm_momentum(model, recipe.norm_momentum)
    model = synchronise_norms(model, view)
    return TrainingState(
        model=model,
        optimizer=make_optimizer(model, recipe),
        scaler=gradient_scaler(recipe.precision, view.device),
        average=moving_average(model, recipe.ema_decay),
        best=BestWeights() if recipe.patience else None,
    )


def default_view(network: Arch | nn.Module, data: Dataset) -> View:
    """One process, on a GPU if there is one, else the CPU; the arch's resolution, or the data set's for a module."""
    return View(network.resolution if isinstance(network, Arch) else data.resolution, choose_device())


def run_facts(model: nn.Module, data: str, loader: Loader) -> dict[str, Any]:
    """What a checkpoint must agree with to belong to a run on the data set of that name."""
    shapes = [tuple(parameter.shape) for parameter in model.parameters()]
    return {f"recipe.{name}": value for name, value in dataclasses.asdict(loader.recipe).items()} | {
        "seed": loader.seed,
        "resolution": loader.view.resolution,
        "network": derive_seed(*sum(shapes, ())),
        "data": data,
        "images": len(loader.split),
        "rungs_per_epoch": loader.rungs_per_epoch,
    }


def total_stride(network: Arch | nn.Module) -> int:
    """The total stride of an arch, or of the arch that a module was built from; 1 for other modules."""
    arch = network if isinstance(network, Arch) else getattr(network, "arch", None)
    return arch.total_stride if isinstance(arch, Arch) else 1


def classes_of(model: nn.Module) -> int:
    """The number of classes of a network: the outputs of its last linear layer."""
    linear = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise ValueError("mixup and cutmix need a network that ends in a linear layer: set both to 0 for this network")
    return linear[-1].out_features


def set_dropout(model: nn.Module, probability: float) -> None:
    """Give all of the model's dropout layers this probability."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = probability


def set_norm_momentum(model: nn.Module, momentum: float) -> None:
    """Give all of the model's batch norms this momentum, the weight of the newest batch."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = momentum
