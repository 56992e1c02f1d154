"""Does the recipe decide how networks are ranked? A resumable study on one thread.

    python -m benchmarks.recipe_ranking --dataset imagefolder:DIR --resolution 48 --out FILE.csv [--report]

24 networks of equal cost (`networks.py`) are trained in the same short way. The reference is each network's accuracy at
its own best peak learning rate of the base recipe. Every candidate recipe (`variants.py`) trains all networks with a
seed that the reference does not use, and its ranking is compared with the reference (`analysis.py`).

The reference begins with two rates. After the candidates, rates next to a network's best one are added until both its
neighbours have been tried. Every finished training is one line of --out, and the same command resumes. --report prints
what the file holds and trains nothing.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

os.environ["OMP_NUM_THREADS"] = "1"  # numpy and torch read it when they are imported

from benchmarks.recipe_ranking import analysis
from benchmarks.recipe_ranking.networks import Member, members
from benchmarks.recipe_ranking.records import Records, Result, Setting, Training, append, read
from benchmarks.recipe_ranking.variants import AS_IS, FIRST_RATES, VARIANTS, Candidate, next_rate
from search_spaces.common import cli
from search_spaces.common.units import parse_count
from studies.data.dataset import Dataset
from studies.data.load import load
from studies.trainer.registry import get_recipe

if TYPE_CHECKING:
    from torch import nn

CANDIDATES = (
    "as-is@0.1", "as-is@0.03", "adamw@0.003", "zero-norm@0.1", "decay-1e-4@0.03", "clipped@0.1", "decay-5e-4@0.1",
    "rmsprop@0.003", "batch-128@0.1", "long-warmup@0.1",
)  # fmt: skip


@dataclass(frozen=True)
class Study:
    """What is trained.

    seeds  of the reference; candidates have `candidate_seed`, which is none of them
    """

    setting: Setting
    data: Dataset
    members: Sequence[Member]
    seeds: Sequence[int]
    candidates: Sequence[Candidate]
    candidate_seed: int

    def missing(self, records: Records) -> Iterator[tuple[Member, Training]]:
        """The trainings that `records`, to which each is added before the next is asked for, does not hold yet.

        First the reference at the first rates, then one candidate after another, then the reference at further rates.
        """
        for member, rate in product(self.members, FIRST_RATES):
            yield from self._absent([member], Candidate(AS_IS, rate), self.seeds, records)
        for candidate in self.candidates:
            yield from self._absent(self.members, candidate, [self.candidate_seed], records)
        for member in self.members:
            while (rate := next_rate(analysis.mean_by_rate(records, member.name, self.seeds))) is not None:
                yield from self._absent([member], Candidate(AS_IS, rate), self.seeds, records)

    def _absent(
        self, members: Sequence[Member], candidate: Candidate, seeds: Sequence[int], records: Records
    ) -> Iterator[tuple[Member, Training]]:
        for seed, member in product(seeds, members):
            training = Training(member.name, member.arch.key, candidate.variant, candidate.lr, seed)
            if training not in records:
                yield member, training

    def train(self, member: Member, training: Training) -> Result:
        """Train one network."""
        from studies.data.splits import CPU, View
        from studies.trainer.loop import new_network, train

        setting, candidate = self.setting, Candidate(training.variant, training.lr)
        recipe = candidate.recipe(get_recipe(setting.recipe).lasting(setting.passes))
        network = new_network(member.arch, recipe, training.seed)
        if VARIANTS[training.variant].zero_norm:
            zero_norms(network)
        view = View(setting.resolution, CPU)
        curve = list(train(network, self.data, recipe, seed=training.seed, view=view, images=setting.images))
        last = curve[-1]
        accuracies, losses = tuple(point.accuracy for point in curve), tuple(point.train_loss for point in curve)
        return Result(last.accuracy, accuracies, losses, last.cpu_seconds)


def zero_norms(network: nn.Module) -> None:
    """Set the scale of the last norm of each block with a shortcut to 0."""
    from torch import nn

    from search_spaces.networks.module import ShortcutBlock

    for block in network.modules():
        if isinstance(block, ShortcutBlock) and block.shortcut is not None:
            norms = [module for module in block.block.modules() if isinstance(module, nn.BatchNorm2d)]
            nn.init.zeros_(norms[-1].weight)


def main(argv: Sequence[str]) -> int:
    """Train what is missing, and print the tables."""
    import torch

    arguments = _arguments(argv)
    torch.set_num_threads(1)
    candidates = [Candidate.parse(text) for text in arguments.candidates]
    # The files of a folder are not decoded before to find corrupt ones: that takes as long as a training.
    data = load(arguments.dataset, validation=arguments.validation, corrupt=())
    found = members(arguments.resolution, len(data.classes), parse_count(arguments.target_flops))
    name = Path(arguments.dataset.removeprefix("imagefolder:")).name
    setting = Setting(name, arguments.resolution, arguments.images, arguments.recipe, arguments.epochs)
    records = read(arguments.out, setting)
    seeds = range(1, 1 + arguments.reference_seeds)
    study = Study(setting, data, found, seeds, candidates, candidate_seed=0)
    for member, training in () if arguments.report else study.missing(records):
        records[training] = result = study.train(member, training)
        append(arguments.out, setting, training, result)
        candidate = Candidate(training.variant, training.lr)
        print(f"{len(records):4} {candidate} {member.name} {result.accuracy:.1%}", flush=True)
    print(analysis.report(found, records, seeds, study.candidate_seed))
    return 0


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="fashion-mnist-mini")
    parser.add_argument("--resolution", type=int, default=28)
    parser.add_argument("--target-flops", default="2M", help="multiply-adds of every network")
    parser.add_argument("--recipe", default="quick", help="the base recipe")
    parser.add_argument("--epochs", type=int, default=2, help="passes over the images")
    parser.add_argument("--images", type=int, default=2000, help="training images of a pass")
    parser.add_argument("--validation", type=int, default=2000, help="images that networks are evaluated on")
    parser.add_argument("--reference-seeds", type=int, default=1)
    parser.add_argument("--candidates", nargs="*", default=CANDIDATES, help="variants with their rates, in this order")
    parser.add_argument("--out", type=Path, required=True, help="CSV of finished trainings")
    parser.add_argument("--report", action="store_true", help="train nothing")
    return parser.parse_args(argv)


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
