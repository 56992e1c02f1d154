"""Training a network: one flat loop that yields an Evaluation an epoch."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from zlib import crc32

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from search_spaces.arch import Arch
from studies.accelerate import accelerate, keep_freed_memory
from studies.best_weights import BestWeights
from studies.checkpoint import load_state, save_state
from studies.data import Dataset
from studies.evaluation import Evaluation
from studies.optimise import averaged, learning_rate, make_optimizer, set_learning_rate
from studies.outcome import Outcome
from studies.recipe import Recipe
from studies.segments import Segment, mix, seeded, segments
from studies.splits import Split, View, steps
from studies.team import average_gradients, join, summed, weigh

EVAL_BATCH = 100


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
    keep_best: bool = False,
    worker: int = 0,
    workers: int = 1,
) -> Iterator[Evaluation]:
    """Train a network and yield an Evaluation on the validation images after each epoch, or part of one.

    network          an Arch, built with the recipe's dropout and stochastic depth and weights drawn from `seed`, or a
                     module, which is trained in place: when the run ends it holds the weights last evaluated (with
                     ema_decay, the average; see `keep_best`), in channels_last layout where the recipe says so
    resolution       side of the images in pixels; the arch's, or the data set's, unless given
    images           train on a stratified subset of this many images, the same one whatever the seed; 0 is all
    rungs_per_epoch  evaluations in each epoch, evenly spaced
    device           a GPU if there is one, unless given
    checkpoint       file that holds the run's state after each evaluation. If it exists the run goes on from there:
                     the stored evaluations come first, the others are those of an unbroken run, bit for bit
    keep_best        in the end the module holds the weights of the evaluation with the highest accuracy instead
    worker, workers  which of how many processes this one is that train the network together, each on its part of every
                     batch (`studies.team`). Images and seeds are shared; what dropout and stochastic depth draw is not

    On a CPU the network's convolutions get faster classes (`studies.accelerate`), and the process keeps freed memory.
    A run on one CPU thread is repeatable bit for bit; the caller sets the number of threads. A loss that is not finite
    gives an Evaluation with outcome nan and ends the run. Out of memory is raised as torch raises it.
    """
    if resolution is None:
        resolution = network.resolution if isinstance(network, Arch) else data.resolution
    view = View(resolution, choose_device(device), recipe.channels_last, worker, workers)
    split = data.train.take(images, seed=0) if images else data.train
    run = start(network, recipe, view, seed, keep_best=keep_best)
    facts = run.facts() | {"data": data.name, "images": len(split), "rungs_per_epoch": rungs_per_epoch}
    facts |= {"keep_best": True} if keep_best else {}
    curve = run.restore(checkpoint, facts) if checkpoint and checkpoint.exists() else []
    yield from curve
    plan = segments(steps(len(split), recipe.batch_size), recipe.epochs, rungs_per_epoch)
    for segment in plan[len(curve) :]:
        if curve and curve[-1].outcome is Outcome.NAN:
            return
        began = time.perf_counter()
        train_loss, seen = fit(run, split, segment, total=plan[-1].last)
        trained = time.perf_counter()
        accuracy, loss = evaluate(run.judged, data.validation, view, amp=recipe.amp)
        before = curve[-1] if curve else Evaluation.none(seed)
        curve.append(
            before.next(
                epoch=segment.last / plan[-1].last * recipe.epochs,
                accuracy=accuracy,
                loss=loss,
                train_loss=train_loss,
                images=seen,
                train_seconds=trained - began,
                eval_seconds=time.perf_counter() - trained,
                lr=run.optimizer.param_groups[0]["lr"],
            )
        )
        run.keep(curve[-1])
        if checkpoint and worker == 0:
            run.save(checkpoint, facts, curve)
        yield curve[-1]
    run.settle()


def fit(run: Run, split: Split, segment: Segment, total: int) -> tuple[float, int]:
    """Train for one segment. Returns the mean loss and the number of images seen."""
    recipe, view, model, optimizer = run.recipe, run.view, run.model, run.optimizer
    epoch_seed = mix(run.seed, segment.epoch)
    batches = split.train_batches(view, recipe.batch_size, seed=epoch_seed, augment=recipe.augment, start=segment.start)
    losses, seen = torch.zeros((), device=view.device), 0
    model.train()
    with seeded(mix(run.seed, segment.epoch, segment.start, *run.lane), view.device):
        for step, (images, labels) in enumerate(islice(batches, segment.last - segment.first), segment.first):
            set_learning_rate(optimizer, learning_rate(recipe, step, total))
            with precision(view.device, recipe.amp):
                loss = functional.cross_entropy(model(images), labels, label_smoothing=recipe.label_smoothing)
            weight = len(labels) * view.workers / recipe.batch_size
            run.scaler.scale(weigh(loss, weight, view)).backward()  # type: ignore[no-untyped-call]
            average_gradients(model, weight, view)
            run.scaler.step(optimizer)
            run.scaler.update()
            optimizer.zero_grad()
            if run.average:
                run.average.update_parameters(model)
            losses += loss.detach() * len(labels)
            seen += len(labels)
            if step % 16 == 0 and not math.isfinite(*summed(view, losses)):
                break
    loss_sum, images_seen = summed(view, losses, seen)
    return loss_sum / images_seen, int(images_seen)


@torch.inference_mode()
def evaluate(model: nn.Module, split: Split, view: View, *, amp: bool = True) -> tuple[float, float]:
    """Accuracy (0 to 1) and mean cross-entropy (nats) of a model on a split, unchanged images, eval mode."""
    model.eval()
    right, losses = torch.zeros((), device=view.device), torch.zeros((), device=view.device)
    for images, labels in split.batches(view, EVAL_BATCH):
        with precision(view.device, amp):
            logits: Tensor = model(images)
        right += (logits.argmax(1) == labels).sum()
        losses += functional.cross_entropy(logits.float(), labels, reduction="sum")
    hits, loss = summed(view, right, losses)
    return hits / len(split), loss / len(split)


def evaluate_on_test(
    model: nn.Module, data: Dataset, *, resolution: int, device: str | torch.device | None = None
) -> tuple[float, float]:
    """Accuracy and cross-entropy on the test images: for the final figure, once."""
    view = View(resolution, choose_device(device))
    return evaluate(model.to(view.device), data.test(), view)


def choose_device(device: str | torch.device | None = None) -> torch.device:
    """The device asked for; else a GPU if there is one; else the CPU."""
    return torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def new_network(arch: Arch, recipe: Recipe, seed: int) -> nn.Module:
    """The arch's network with the recipe's dropout and stochastic depth, its weights drawn from `seed`.

    A layer's draw depends on the seed, the layer's name and its shape alone: networks that differ elsewhere begin with
    the same weights where their layers agree, so that trainings with one seed can be compared as pairs.
    """
    from search_spaces.network import build, initialise

    with seeded(mix(seed), torch.device("cpu")):
        network = build(arch, dropout=recipe.dropout, stochastic_depth=recipe.stochastic_depth)
    for name, module in network.named_modules():
        if not any(module.children()):
            with seeded(mix(seed, crc32(name.encode())), torch.device("cpu")):
                initialise(module)
    return network


def precision(device: torch.device, amp: bool) -> AbstractContextManager[None]:
    """Mixed precision on a GPU (bfloat16 where it has it, else float16), float32 elsewhere."""
    enabled = amp and device.type == "cuda"
    return torch.autocast(device.type, dtype=_amp_type() if enabled else torch.bfloat16, enabled=enabled)


def _amp_type() -> torch.dtype:
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


@dataclass(frozen=True, eq=False)
class Run:
    """What changes while a network is trained, with the recipe it follows."""

    model: nn.Module
    average: AveragedModel | None
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    recipe: Recipe
    view: View
    seed: int
    best: BestWeights | None = None

    @property
    def lane(self) -> tuple[int, ...]:
        """What this worker's random numbers are drawn from beside the run's seed: each of several has its own."""
        return (self.view.worker,) if self.view.worker else ()

    @property
    def judged(self) -> nn.Module:
        """The network that is evaluated: the average if there is one."""
        return self.average.module if self.average else self.model

    def keep(self, evaluation: Evaluation) -> None:
        """Remember the weights just evaluated, where the best are wanted and these are."""
        if self.best is not None:
            self.best.offer(self.judged, evaluation.accuracy, evaluation.step)

    def settle(self) -> None:
        """Give the network the weights that the run was for: the best, or those evaluated last."""
        if self.best is not None and self.best.step:
            self.best.give_to(self.model)
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
        parts = {"model": self.model, "optimizer": self.optimizer, "scaler": self.scaler, "average": self.average}
        parts["best"] = self.best
        return {name: part for name, part in parts.items() if part is not None}


def start(network: Arch | nn.Module, recipe: Recipe, view: View, seed: int, *, keep_best: bool = False) -> Run:
    """The run before its first step: network on its device in its layout, optimiser, average."""
    model = new_network(network, recipe, seed) if isinstance(network, Arch) else network
    layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
    model.to(device=view.device, memory_format=layout)  # type: ignore[call-overload]
    if view.device.type == "cpu":
        accelerate(model)
        keep_freed_memory()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = recipe.norm_momentum
    model = join(model, view)
    float16 = recipe.amp and view.device.type == "cuda" and _amp_type() is torch.float16
    scaler = torch.amp.GradScaler(view.device.type, enabled=float16)
    average = averaged(model, recipe.ema_decay)
    best = BestWeights() if keep_best else None
    return Run(model, average, make_optimizer(model, recipe), scaler, recipe, view, seed, best)
