"""Images a second of our training loop against a plain torchvision model + DataLoader loop on the CPU.

    python benchmarks/training.py [--quick]

Both train the same torchvision network with the same batch, optimiser, augmentation and threads. The plain loop is the
one of the tutorials: PIL images, torchvision transforms, DataLoader in the same process, SGD. It is timed in torch's
default layout and in channels_last; ours is `studies.trainer.loop.fit`. Each loop has a process of its own (ours tells
the C library to keep freed memory), and they are timed in turns, the best of several rounds counting. The last column
is the largest error of any convolution's weight gradient in that network, torch's and ours, against float64.
"""

from __future__ import annotations

import argparse
import copy
import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from studies.data.splits import TensorSplit, View
from studies.trainer.kernels.cpu import accelerate
from studies.trainer.loader import Loader
from studies.trainer.loop import fit, start
from studies.trainer.recipe import Recipe
from studies.trainer.segments import Segment

NETWORKS = {"efficientnet_b0": "efficientnet_b0", "mobilenet_v2": "mobilenet_v2", "mnasnet_b1": "mnasnet1_0"}
LOOPS = ("plain", "plain, channels_last", "ours")
CLASSES = 10
# Batch, and steps of one timing, at each resolution.
SETTINGS = {32: (64, 4), 224: (16, 2)}
RECIPE = Recipe(optimizer="sgd", lr=0.01)


def new_network(name: str) -> nn.Module:
    """The torchvision network, with the same weights every time."""
    torch.manual_seed(0)
    network: nn.Module = getattr(torchvision.models, NETWORKS[name])(num_classes=CLASSES)
    return network


def some_images(count: int, resolution: int) -> tuple[Tensor, Tensor]:
    """Random bytes [count, 3, S, S] and labels."""
    torch.manual_seed(0)
    return torch.randint(0, 256, (count, 3, resolution, resolution), dtype=torch.uint8), torch.arange(count) % CLASSES


class PilImages(Dataset[tuple[Tensor, int]]):
    """What torchvision's data sets give: a PIL image and its label, transformed."""

    def __init__(self, images: Tensor, labels: Tensor, resolution: int) -> None:
        self.images, self.labels = images.permute(0, 2, 3, 1).numpy(), labels.tolist()
        self.transform = v2.Compose([
            v2.RandomCrop(resolution, padding=resolution // 8),
            v2.RandomHorizontalFlip(),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize((0.5,) * 3, (0.25,) * 3),
        ])  # fmt: skip

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        from PIL import Image

        return self.transform(Image.fromarray(self.images[index])), self.labels[index]


def plain_loop(name: str, resolution: int, layout: torch.memory_format) -> Callable[[], None]:
    """One timing's worth of the plain loop."""
    batch, steps = SETTINGS[resolution]
    model = new_network(name).to(memory_format=layout).train()  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(model.parameters(), lr=RECIPE.lr, momentum=0.9, weight_decay=5e-4, nesterov=True)
    data = PilImages(*some_images(batch * steps, resolution), resolution)
    loader = DataLoader(data, batch_size=batch, shuffle=True)

    def run() -> None:
        for images, labels in loader:
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(images.contiguous(memory_format=layout)), labels)
            loss.backward()
            optimizer.step()
            loss.item()

    return run


def our_loop(name: str, resolution: int) -> Callable[[], None]:
    """One timing's worth of our loop."""
    batch, steps = SETTINGS[resolution]
    recipe, view = RECIPE.replace(batch_size=batch), View(resolution)
    state = start(new_network(name), recipe, view, seed=0)
    split = TensorSplit(*some_images(batch * steps, resolution), torch.full((3,), 128.0), torch.full((3,), 64.0))
    segment = Segment(epoch=0, start=0, first=0, last=steps, total=1000)
    return lambda: void(fit(state, Loader(split, recipe, view, seed=0), segment))


def void(_: object) -> None:
    """Nothing, whatever is given."""


def serve(connection: Connection, loop: str, name: str, resolution: int, threads: int) -> None:
    """In a process of its own: time the loop whenever asked."""
    torch.set_num_threads(threads)
    layout = torch.contiguous_format if loop == "plain" else torch.channels_last
    run = our_loop(name, resolution) if loop == "ours" else plain_loop(name, resolution, layout)
    run()
    connection.send(None)
    while connection.recv():
        began = time.perf_counter()
        run()
        connection.send(time.perf_counter() - began)


def images_per_second(name: str, resolution: int, threads: int, rounds: int) -> dict[str, float]:
    """The best of several rounds for each loop, timed in turns."""
    batch, steps = SETTINGS[resolution]
    context = multiprocessing.get_context("spawn")
    ends = {loop: context.Pipe() for loop in LOOPS}
    workers = [
        context.Process(target=serve, args=(ends[loop][1], loop, name, resolution, threads), daemon=True)
        for loop in LOOPS
    ]
    for worker in workers:
        worker.start()
    for loop in LOOPS:
        ends[loop][0].recv()
    best = dict.fromkeys(LOOPS, float("inf"))
    for _ in range(rounds):
        for loop in LOOPS:
            ends[loop][0].send(True)
            best[loop] = min(best[loop], ends[loop][0].recv())
    for loop in LOOPS:
        ends[loop][0].send(False)
    for worker in workers:
        worker.join()
    return {loop: batch * steps / seconds for loop, seconds in best.items()}


def gradient_errors(name: str, resolution: int) -> tuple[float, float]:
    """Largest error of a convolution's weight gradient relative to its largest value, of torch and of ours.

    Each convolution is judged by itself, on the input and the output gradient that it meets in the network.
    """
    model = new_network(name).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    met: dict[nn.Conv2d, list[Tensor]] = {}
    for module in model.modules():
        if hasattr(module, "inplace"):
            # Hooks on the backward pass forbid it.
            module.inplace = False
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda layer, given, _: met.setdefault(layer, []).append(given[0].detach()))
            module.register_full_backward_hook(lambda layer, _, gradient: met[layer].append(gradient[0].detach()))
    images, labels = some_images(16, resolution)
    inputs = images.float().div(64).sub(2).contiguous(memory_format=torch.channels_last)
    functional.cross_entropy(model(inputs), labels).backward()
    errors = (0.0, 0.0)
    for layer, (given, gradient) in met.items():
        truth = weight_gradient(copy.deepcopy(layer).double(), given.double(), gradient.double())
        mine = accelerate(nn.Sequential(copy.deepcopy(layer)))
        found = [weight_gradient(network, given, gradient) for network in (copy.deepcopy(layer), mine)]
        scale = truth.abs().max().clamp_min(1e-30)
        errors = tuple(  # type: ignore[assignment]
            max(error, float((one - truth).abs().max() / scale)) for error, one in zip(errors, found, strict=True)
        )
    return errors


def weight_gradient(network: nn.Module, given: Tensor, gradient: Tensor) -> Tensor:
    """The gradient of the network's first parameter."""
    for module in network.modules():
        module._forward_hooks.clear()
        module._backward_hooks.clear()
    weight = next(network.parameters())
    (result,) = torch.autograd.grad(network(given), weight, gradient)
    return result


def main() -> None:
    """Print the table, a line at a time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="32 px and one thread only")
    quick = parser.parse_args().quick
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}; images/s, best of several rounds")
    print(
        "| network | px | batch | threads | " + " | ".join(LOOPS) + " | ours : plain | ours : channels_last | error |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for resolution in [32] if quick else list(SETTINGS):
        for name in NETWORKS:
            torch.set_num_threads(1)
            theirs, mine = gradient_errors(name, resolution)
            for threads in [1] if quick else [1, 2]:
                speed = images_per_second(name, resolution, threads, rounds=12 if resolution < 100 else 4)
                plain, last, ours = (speed[loop] for loop in LOOPS)
                print(
                    f"| {name} | {resolution} | {SETTINGS[resolution][0]} | {threads} | {plain:.1f} | {last:.1f} | "
                    f"{ours:.1f} | {ours / plain:.2f} | {ours / last:.2f} | {theirs:.0e}, {mine:.0e} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
