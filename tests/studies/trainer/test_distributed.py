"""Two processes, joined by gloo on the loopback device, do to a network what one does with the whole batch."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from torch import distributed, multiprocessing, nn

from studies.data.splits import View
from studies.trainer.distributed import SyncedBatchNorm2d, count_parts, loss_weight, sum_over_ranks, synchronise_norms
from studies.trainer.gradients import backward
from studies.trainer.recipe import Recipe
from studies.trainer.segments import seeded

OFF = torch.amp.GradScaler("cpu", enabled=False)
IMAGES = 9  # an odd number: the ranks' parts differ


def network() -> nn.Module:
    with seeded(5, torch.device("cpu")):
        return nn.Sequential(
            *(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.SiLU(), nn.Conv2d(4, 6, 3, bias=False)),
            *(nn.BatchNorm2d(6), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5)),
        ).double()


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return 3 + torch.randn(IMAGES, 3, 8, 8, generator=generator, dtype=torch.float64), torch.arange(IMAGES) % 5


def state(model: nn.Module) -> dict[str, torch.Tensor]:
    gradients = {f"gradient of {name}": weight.grad for name, weight in model.named_parameters()}
    return {name: value for name, value in {**gradients, **model.state_dict()}.items() if value is not None}


def work(rank: int, world_size: int, folder: str) -> None:
    """What each process does; written down for the test to compare."""
    torch.set_num_threads(1)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=world_size)
    view, recipe = View(8, rank=rank, world_size=world_size), Recipe(batch_size=16)
    model = synchronise_norms(network(), view)
    assert [type(model[1]), type(model[4])] == [SyncedBatchNorm2d] * 2  # type: ignore[index]
    images, labels = (view.local_batch(part) for part in batch())
    loss = backward(model, OFF, recipe, images, labels, view)
    counts = sum_over_ranks(view, loss * len(images), len(images))
    parts = count_parts(len(images), recipe.replace(micro_batch=4), view)
    torch.save((state(model), counts, parts), f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_workers_take_the_step_of_one(tmp_path: Path) -> None:
    model = network()
    loss = backward(model, OFF, Recipe(), *batch(), View(8))
    multiprocessing.spawn(work, (2, str(tmp_path)), 2)  # type: ignore[no-untyped-call]
    for rank in (0, 1):
        found, (losses, images), parts = torch.load(tmp_path / f"{rank}.pt")
        assert images == IMAGES
        assert losses / images == pytest.approx(loss.item(), rel=1e-6)
        # Five and four images, four at a time: two forward passes on both, or one would wait for the other for ever.
        assert parts == 2
        expected = state(model)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value, rtol=1e-6, atol=1e-8, msg=f"{name} differs")


def test_alone_nothing_is_done() -> None:
    view, model = View(8), network()
    assert synchronise_norms(model, view) is model
    assert type(model[1]) is nn.BatchNorm2d  # type: ignore[index]
    assert loss_weight(7, Recipe(), view) == 1.0
    assert sum_over_ranks(view, torch.tensor(2.5), 3) == [2.5, 3.0]


@pytest.mark.parametrize("world_size", [1, 2, 3, 5])
def test_every_image_is_somebodys(world_size: int) -> None:
    rows = torch.arange(13)
    parts = [View(8, rank=rank, world_size=world_size).local_batch(rows) for rank in range(world_size)]
    assert torch.equal(torch.cat(parts), rows)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
