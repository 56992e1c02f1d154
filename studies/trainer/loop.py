"""Training a network: one flat loop that yields an Evaluation an epoch."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any
from zlib import crc32

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from search_spaces.networks.arch import Arch
from studies.data.augment import mixed
from studies.data.dataset import Dataset
from studies.data.splits import Split, View, steps
from studies.outcome import Outcome
from studies.trainer.checkpoint import load_state, save_state
from studies.trainer.distributed import parts_of, sum_gradients, summed, synchronise_norms, weight_of
from studies.trainer.early_stopping import BestWeights, should_stop
from studies.trainer.evaluation import Evaluation
from studies.trainer.gradients import accumulate, advance, gradient_scaler
from studies.trainer.kernels.cpu import accelerate, keep_freed_memory
from studies.trainer.optimizers import averaged, learning_rate, make_optimizer, set_learning_rate
from studies.trainer.progressive import TrainingStage, stage_at, training_stages
from studies.trainer.recipe import Recipe
from studies.trainer.scoring import choose_device, score
from studies.trainer.segments import Segment, mix, seeded, segments

# In the place of an epoch, and above all of them: mixup and cutmix draw apart from all else in a run.
MIXING = 1 << 40


def train(
    network: Arch | nn.Module,
    data: Dataset,
    recipe: Recipe,
    *,
    seed: int,
    resolution: int | None = None,
    images: int = 0,
    rungs_per_epoch: int = 1,
    device: str | torch.device | None = None,
    checkpoint: Path | None = None,
    rank: int = 0,
    world_size: int = 1,
) -> Iterator[Evaluation]:
    """Train a network and yield an Evaluation on the validation images after each epoch, or part of one.

    network          an Arch, built with the recipe's dropout and stochastic depth and weights drawn from `seed`, or a
                     module, which is trained in place: when the run ends it holds the weights last evaluated (with
                     ema_decay, the average; with patience, the best), in channels_last layout where the recipe says so
    resolution       side of the evaluated images in pixels; default: the arch's, or the data set's for a module
    images           train on a stratified subset of this many images, the same one whatever the seed; 0 is all
    rungs_per_epoch  evaluations in each epoch, evenly spaced
    device           default: a GPU if there is one, else the CPU
    checkpoint       file that holds the run's state after each evaluation. If it exists the run resumes from there:
                     the stored evaluations come first, the others are those of an unbroken run, bit for bit
    rank, world_size  this process among those that train the network together, each on its part of every batch
                     (`distributed`). Images and seeds are shared; what dropout and stochastic depth draw is not

    On a CPU the network's convolutions get faster classes (`trainer.kernels`), and the process keeps freed memory.
    A run on one CPU thread is repeatable bit for bit; the caller sets the number of threads. A loss that is not finite
    gives an Evaluation with outcome nan and ends the run; so does the recipe's patience, without one. Out of memory is
    raised as torch raises it, ValueError for images below the network's total stride and a precision the device lacks.
    """
    if resolution is None:
        resolution = network.resolution if isinstance(network, Arch) else data.resolution
    view = View(resolution, choose_device(device), recipe.channels_last, rank, world_size)
    split = data.train.take(images, seed=0) if images else data.train
    run = start(network, recipe, view, seed)
    facts = run.facts() | {"data": data.name, "images": len(split), "rungs_per_epoch": rungs_per_epoch}
    curve = run.restore(checkpoint, facts) if checkpoint and checkpoint.exists() else []
    yield from curve
    plan = segments(steps(len(split), recipe.batch_size), recipe.epochs, rungs_per_epoch)
    for segment in plan[len(curve) :]:
        if curve and curve[-1].outcome is Outcome.NAN:
            return
        if should_stop(curve, recipe):
            break
        before = curve[-1] if curve else Evaluation.none(seed)
        curve.append(fit_and_judge(run, data, split, segment, plan[-1].last, before))
        if run.best:
            run.best.offer(run.judged, curve[-1].accuracy)
        if checkpoint and rank == 0:
            run.save(checkpoint, facts, curve)
        yield curve[-1]
    run.settle()


def fit_and_judge(
    run: TrainingState, data: Dataset, split: Split, segment: Segment, total: int, before: Evaluation
) -> Evaluation:
    """Train on `split` for one segment of the run's `total` steps; evaluate after it, as `before` was before it."""
    began, idle = time.perf_counter(), time.process_time()
    train_loss, seen = fit(run, split, segment, total)
    trained, busy = time.perf_counter(), time.process_time() - idle
    judged = score(run.judged, data.validation, run.view, precision=run.recipe.precision)
    return before.next(
        epoch=segment.last / total * run.recipe.epochs,
        accuracy=judged.top1,
        loss=judged.loss,
        train_loss=train_loss,
        images=seen,
        train_seconds=trained - began,
        eval_seconds=time.perf_counter() - trained,
        lr=run.optimizer.param_groups[0]["lr"],
        cpu_seconds=busy,
    )


def fit(run: TrainingState, split: Split, segment: Segment, total: int) -> tuple[float, int]:
    """Train for one segment. Returns the mean loss and the number of images seen."""
    recipe, model, optimizer = run.recipe, run.model, run.optimizer
    stage = stage_at(run.stages, segment.epoch)
    view = replace(run.view, resolution=stage.resolution)
    if len(run.stages) > 1:
        set_dropout(model, stage.dropout)
    batches = split.train_batches(
        view,
        recipe.batch_size,
        seed=mix(run.seed, segment.epoch),
        augment=recipe.augment,
        magnitude=stage.magnitude,
        start=segment.start,
    )
    losses, seen = torch.zeros((), device=view.device), 0
    model.train()
    with seeded(mix(run.seed, segment.epoch, segment.start, *run.rank_seed), view.device):
        for step, batch in enumerate(islice(batches, segment.last - segment.first), segment.first):
            set_learning_rate(optimizer, learning_rate(recipe, step, total))
            images, labels = batch
            if stage.mixup or stage.cutmix:
                images, labels = mixed(
                    *batch,
                    mixup=stage.mixup,
                    cutmix=stage.cutmix,
                    classes=classes_of(model),
                    seed=mix(run.seed, MIXING, step),
                )
            parts, weight = parts_of(len(images), recipe, view), weight_of(len(images), recipe, view)
            loss = accumulate(model, run.scaler, recipe, images, labels, parts=parts, weight=weight)
            sum_gradients(model, weight, view)
            advance(model, optimizer, run.scaler, recipe.clip_norm)
            if run.average:
                run.average.update_parameters(model)
            losses += loss * len(labels)
            seen += len(labels)
            if step % 16 == 0 and not math.isfinite(*summed(view, losses)):
                break
    loss_sum, images_seen = summed(view, losses, seen)
    return loss_sum / images_seen, int(images_seen)


def new_network(arch: Arch, recipe: Recipe, seed: int) -> nn.Module:
    """The arch's network with the recipe's dropout and stochastic depth, its weights drawn from `seed`.

    A layer's draw depends on the seed, the layer's name and its shape alone: networks that differ elsewhere begin with
    the same weights where their layers agree, so that trainings with one seed can be compared as pairs.
    """
    from search_spaces.networks.module import build, initialise

    with seeded(mix(seed), torch.device("cpu")):
        network = build(arch, dropout=recipe.dropout, stochastic_depth=recipe.stochastic_depth)
    for name, module in network.named_modules():
        if not any(module.children()):
            with seeded(mix(seed, crc32(name.encode())), torch.device("cpu")):
                initialise(module)
    return network


@dataclass(frozen=True, eq=False)
class TrainingState:
    """What changes while a network is trained, with the recipe it follows."""

    model: nn.Module
    average: AveragedModel | None
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    recipe: Recipe
    view: View
    seed: int
    stages: tuple[TrainingStage, ...]
    best: BestWeights | None = None

    @property
    def rank_seed(self) -> tuple[int, ...]:
        """Seeds a rank's random numbers beside the run's seed; rank 0 draws as a single process does."""
        return (self.view.rank,) if self.view.rank else ()

    @property
    def judged(self) -> nn.Module:
        """The network that is evaluated: the average if there is one."""
        return self.average.module if self.average else self.model

    def settle(self) -> None:
        """Give the network the weights that are left in the end: the best epoch's, or the average."""
        if self.best:
            self.model.load_state_dict(self.best.weights)
        elif self.average:
            self.model.load_state_dict(self.average.module.state_dict())

    def facts(self) -> dict[str, Any]:
        """What a checkpoint must agree with to belong to this run."""
        shapes = [tuple(parameter.shape) for parameter in self.model.parameters()]
        recipe = {f"recipe.{name}": value for name, value in dataclasses.asdict(self.recipe).items()}
        return recipe | {"seed": self.seed, "resolution": self.view.resolution, "network": mix(*sum(shapes, ()))}

    def save(self, path: Path, facts: dict[str, Any], curve: list[Evaluation]) -> None:
        """Write the run's state after the last evaluation of the curve."""
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        rows = [dataclasses.asdict(row) | {"outcome": str(row.outcome)} for row in curve]
        save_state(path, {"run": facts, "curve": rows, **parts})

    def restore(self, path: Path, facts: dict[str, Any]) -> list[Evaluation]:
        """Take up the stored state; returns the stored curve."""
        state = load_state(path, facts, self.view.device)
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        return [Evaluation(**row | {"outcome": Outcome(row["outcome"])}) for row in state["curve"]]

    def _parts(self) -> dict[str, Any]:
        parts = {"model": self.model, "optimizer": self.optimizer, "scaler": self.scaler}
        optional = {"average": self.average, "best": self.best}
        return parts | {name: part for name, part in optional.items() if part is not None}


def start(network: Arch | nn.Module, recipe: Recipe, view: View, seed: int) -> TrainingState:
    """The run before its first step: network on its device in its layout, optimiser, average."""
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
        average=averaged(model, recipe.ema_decay),
        optimizer=make_optimizer(model, recipe),
        scaler=gradient_scaler(recipe.precision, view.device),
        recipe=recipe,
        view=view,
        seed=seed,
        stages=training_stages(recipe, view.resolution, total_stride(network)),
        best=BestWeights() if recipe.patience else None,
    )


def total_stride(network: Arch | nn.Module) -> int:
    """The arch's total stride, or that of the arch a module was built from; 1 where there is none to know it by."""
    arch = network if isinstance(network, Arch) else getattr(network, "arch", None)
    return arch.total_stride if isinstance(arch, Arch) else 1


def classes_of(model: nn.Module) -> int:
    """The number of classes that a network tells apart: the outputs of its last linear layer."""
    linear = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise ValueError("mixup and cutmix need a network with a linear layer at its end: set both to 0 for this one")
    return linear[-1].out_features


def set_dropout(model: nn.Module, probability: float) -> None:
    """Give all of the model's dropout layers this probability."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = probability


def set_norm_momentum(model: nn.Module, momentum: float) -> None:
    """Give all of the model's batch norms this momentum: the share of the newest batch."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = momentum
