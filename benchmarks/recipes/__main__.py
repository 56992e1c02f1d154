"""What the parts of the papers' recipes and networks bring at small scale, on real images: three studies.

    python -m benchmarks.recipes --study progressive   # progressive learning; growing images alone; one size
    python -m benchmarks.recipes --study fused         # EfficientNetV2's fused stages 1 to 3 against unfused ones
    python -m benchmarks.recipes --study ablations     # SE, smoothing, EMA, stochastic depth off; kernel 3, 5, 7

They read imagefolder:data/cifar10 (--dataset: other images) and write into runs/recipes-STUDY (--run): result.txt,
result.json, trainings.csv (a line a training) and steps.csv (a line a timed network and round), in raw units. The same
command goes on where an earlier one was ended, and more --seeds join those that are there.

benchmarks/recipes/studies.py says which networks are compared. All trainings of a study have one thread and the same
images, epochs and seeds, which are blocks: differences are paired. A training's time is told in wall-clock and in
processor seconds, without evaluation. Steps are timed after all trainings, in turns, on one thread. Memory is what
search_spaces.metrics.memory predicts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.recipes.config import RESUMABLE, RecipesConfig
from benchmarks.recipes.studies import Arm, Study
from search_spaces.common import cli
from search_spaces.metrics.compute import compute_all

if TYPE_CHECKING:
    from rich.console import Console

    from studies.data.dataset import Dataset
    from studies.ledger.trial import Proposal, Record
    from studies.outcome import Rung
    from studies.runs.folder import RunFolder
    from studies.workers.pool import WorkerPool
    from studies.workers.protocol import Job
    from studies.workers.training_job import Training


@dataclass(frozen=True)
class Session:
    """A study under way in its run folder."""

    config: RecipesConfig
    study: Study
    data: Dataset
    run: RunFolder
    workers: WorkerPool

    @property
    def training(self) -> Training:
        """How networks are trained, but for what an arm changes."""
        from studies.workers.training_job import Training

        training = Training.of(
            self.config.data,
            self.data,
            self.study.recipe,
            self.run.path("checkpoints"),
            images=self.study.images,
            validation=self.config.validation,
        )
        return replace(training, test=True)

    def identity(self) -> dict[str, Any]:
        """What must not differ when trainings join others."""
        amounts = {
            "study": self.config.study,
            "dataset": self.config.data.dataset,
            "validation": self.config.validation,
        }
        recipes = {arm.name: asdict(arm.recipe(self.study.recipe)) for arm in self.study.arms}
        return amounts | {"images": self.study.images, "recipes": recipes}

    def proposals(self) -> list[Proposal]:
        """Every arm with every seed, seed by seed, so that an early end leaves whole blocks."""
        return [self._proposal(arm, seed) for seed in range(self.study.seeds) for arm in self.study.arms]

    def _proposal(self, arm: Arm, seed: int) -> Proposal:
        from studies.ledger.trial import Proposal

        return Proposal(
            choice={},
            key=arm.key,
            arch=arm.arch.to_json(),
            metrics=compute_all(arm.arch),
            phase=self.config.study,
            seed=seed,
            proposed_by=arm.name,
            notes={"folder": Path(arm.key).parent.name, "recipe": dict(arm.changes)},
        )


def train(session: Session, console: Console) -> list[Record]:
    """Train what the ledger does not hold yet; the complete trainings that the study asks for."""
    from studies.ledger.ledger import Ledger
    from studies.ledger.storage import sqlite_url
    from studies.outcome import Outcome
    from studies.workers.queue import Fixed
    from studies.workers.trial_batch import TrialBatch, run_trials

    kind, proposals = session.config.study, session.proposals()
    wanted = {proposal.identity for proposal in proposals}
    url = sqlite_url(session.run.path("ledger.db"))
    with Ledger.open(url, kind, {}, settings=session.identity()) as ledger:
        phase = TrialBatch(
            *(kind, len(wanted), Fixed(proposals), session.training, lambda _, rung: float(rung["accuracy"])),
            describe_best=lambda record, accuracy: (accuracy, f"best {accuracy:.1%} ({record.proposed_by})"),
            table=session.run.path("trials.csv"),
            counts=lambda record: record.identity in wanted,
            work=work,
        )
        records = run_trials(phase, ledger, session.workers, console)
    return [record for record in records if record.identity in wanted and record.outcome is Outcome.COMPLETE]


def work(job: Job) -> Iterator[Rung]:
    """Train the job's network with the images decoded before any clock runs, its checkpoint in its arm's folder."""
    from search_spaces.networks.arch import Arch
    from studies.data.splits import View
    from studies.trainer.progressive import training_stages
    from studies.workers.training_job import Training, evaluate

    training, resolution = Training.from_job(job), Arch.from_json(job["arch"]).resolution
    images = training.data().train.take(training.images, seed=0)
    for stage in training_stages(training.recipe.replace(**job["notes"]["recipe"]), resolution):
        next(images.train_batches(View(stage.resolution), training.recipe.batch_size, seed=0, augment="none"))
    folder = Path(training.folder) / job["notes"]["folder"]
    yield from evaluate(job | replace(training, folder=str(folder)).payload())


def main(argv: Sequence[str]) -> int:
    """Run a study, or show a finished one."""
    said = str(__doc__).splitlines()[0]
    config = cli.parse(RecipesConfig, argv, prog="python -m benchmarks.recipes", description=said)
    from rich.console import Console

    from benchmarks.recipes.report import write_files
    from benchmarks.recipes.steps import step_times
    from studies.data.load import load_configured
    from studies.runs.folder import RunFolder
    from studies.workers.pool import WorkerPool
    from studies.workers.resources import settle_here

    resources = settle_here(config.on_cpus)
    data = load_configured(config.data, seed=0, validation=config.validation)
    study = config.plan(len(data.classes))
    settings, command = cli.plain(replace(config, new=False)), [sys.executable, *sys.argv]
    with RunFolder.open(config.folder, settings, command=command, new=config.new, resumable=RESUMABLE) as run:
        console = Console(highlight=False)
        console.print(data.describe())
        with WorkerPool(config.on_cpus, resources.workers if resources else None) as pool:
            records = train(Session(config, study, data, run, pool), console)
        times = step_times(study, run.path("steps.csv"), config.rounds) if study.timed else {}
        print(f"\n{write_files(study, config.study, records, times, run)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
