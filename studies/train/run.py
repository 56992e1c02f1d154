"""The trainings of a run, one seed after the other: trained, scored once, written down."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from search_spaces.common.settings import own_code
from search_spaces.networks.arch import Arch
from search_spaces.networks.registry import own_operators
from studies.data.dataset import Dataset
from studies.outcome import Outcome, classify, describe_error
from studies.runs.folder import RunFolder
from studies.train.job import TrainingJob, run_job
from studies.train.plan import TrainPlan
from studies.trainer.evaluation import Evaluation
from studies.trainer.scoring import Score
from studies.workers.progress import Progress
from studies.workers.training_job import Training

if TYPE_CHECKING:
    from studies.train.ray_train import TrainingWorkers

ARCH, METRICS, SEEDS = "arch.json", "metrics.csv", "seeds"
COLUMNS = (
    "seed", "epoch", "train_loss", "validation_loss", "validation_accuracy", "lr", "train_seconds", "seconds",
    "images_per_second",
)  # fmt: skip
_log = logging.getLogger(__name__)
Watch = Callable[[Evaluation], None]


@dataclass(frozen=True)
class Trained:
    """A training that is over.

    seed     of its own
    epoch    whose weights were kept: the best one's where the run could end early, else the last
    epochs   that were trained
    curve    its evaluations
    test     accuracy on the test images, computed once
    weights  the file, relative to the run folder
    """

    seed: int
    epoch: float
    epochs: float
    validation: float
    test: Score
    weights: str
    curve: tuple[Evaluation, ...]

    @property
    def seconds(self) -> float:
        """Of training and of evaluation on the validation images."""
        return self.curve[-1].train_seconds + self.curve[-1].eval_seconds


def run_trainings(plan: TrainPlan, run: RunFolder, console: Console, data: Dataset) -> list[Trained]:
    """Train every seed that the run folder has no result of. Returns all that were wanted, in their order.

    Raises ValueError where the folder's network is another, a loss stops being finite, or memory runs out.
    """
    _keep_arch(plan.arch, run)
    wanted = [_training_job(plan, run, data, plan.config.seed + index) for index in range(plan.config.seeds)]
    done: list[Trained] = []
    with _training_workers(plan, wanted) as training_workers:
        for work in wanted:
            result = read_result(work)
            if result is None:
                result = _train(plan, run, console, data, work, training_workers, done)
            done.append(result)
    write_metrics(run, [(one.seed, one.curve) for one in done])
    return done


def read_result(work: TrainingJob) -> Trained | None:
    """The result of a training that was finished; None where it was not.

    Raises ValueError, in one line, for a damaged result or damaged weights. The checkpoint is gone by then: all that is
    left to do is to train again.
    """
    from studies.trainer.checkpoint import check_weights

    path = _result_file(work)
    if not path.exists() or not work.weights.exists():
        return None
    check_weights(work.weights, f"delete it, and the same command trains seed {work.seed} again")
    try:
        fields = json.loads(path.read_text())
        curve = tuple(_evaluation(row) for row in fields.pop("curve"))
        found = Trained(**fields | {"curve": curve, "test": Score(**fields["test"])})
        found.seconds  # noqa: B018 - raises where the curve is empty
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError) as error:
        raise ValueError(
            f"{path} is no result of a training ({describe_error(error)}): delete it, and the same command trains seed "
            f"{work.seed} again"
        ) from None
    return found


def write_metrics(run: RunFolder, curves: Sequence[tuple[int, Sequence[Evaluation]]]) -> None:
    """Write metrics.csv: a row an evaluation. Seconds are since the training's beginning, images/s of the epoch."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for seed, curve in curves:
        for before, row in zip((Evaluation.none(seed), *curve), curve, strict=False):
            fresh = row.train_seconds - before.train_seconds
            speed = (row.images - before.images) / fresh if fresh > 0 else 0.0
            seconds = row.train_seconds + row.eval_seconds
            figures = (row.train_loss, row.loss, row.accuracy, row.lr)
            writer.writerow(
                (seed, f"{row.epoch:g}", *figures, *(f"{x:.3f}" for x in (row.train_seconds, seconds, speed)))
            )
    run.write(METRICS, text.getvalue())


def _training_job(plan: TrainPlan, run: RunFolder, data: Dataset, seed: int) -> TrainingJob:
    config = plan.config
    training = Training.of(
        *(config.data, data, plan.recipe, run.path(SEEDS)),
        split_seed=config.seed,
        images=config.images,
        validation=config.validation,
    )
    init = str(Path(config.init).resolve()) if config.init else ""
    return TrainingJob(plan.arch, seed, training, init)


def _train(
    plan: TrainPlan,
    run: RunFolder,
    console: Console,
    data: Dataset,
    work: TrainingJob,
    workers: TrainingWorkers | None,
    done: Sequence[Trained],
) -> Trained:
    """One training, with its progress shown and its metrics written after every epoch."""
    curve: list[Evaluation] = []
    with Progress(console, f"seed {work.seed}", plan.recipe.epochs, "epochs") as progress:

        def watch(row: Evaluation) -> None:
            curve.append(row)
            write_metrics(run, [*((one.seed, one.curve) for one in done), (work.seed, curve)])
            seconds = row.train_seconds + row.eval_seconds
            progress.update(row.epoch, _describe(curve), unit_seconds=seconds / row.epoch if row.epoch else None)

        _have_trained(plan, work, workers, watch)
    last = curve[-1]
    _log.info("seed %d: %g epochs, validation accuracy %.4f, %s", work.seed, last.epoch, last.accuracy, last.outcome)
    if last.outcome is not Outcome.COMPLETE:
        raise ValueError(
            f"the loss of seed {work.seed} is not finite in epoch {last.epoch:g}: a lower --lr (it was "
            f"{plan.recipe.lr:g}) with --new trains again"
        )
    return _conclude(plan, run, data, work, curve)


def _describe(curve: Sequence[Evaluation]) -> str:
    """The last evaluation of a training, and the best where that is another, for people."""
    last, best = curve[-1], max(curve, key=lambda row: row.accuracy)
    parts = [
        f"loss {last.train_loss:.3f} in training, {last.loss:.3f} on validation images",
        f"{last.accuracy:.1%}" + ("" if best is last else f", best {best.accuracy:.1%} after {best.epoch:g}"),
    ]
    if last.train_seconds > 0:
        parts.append(f"{last.images / last.train_seconds:,.0f} images/s")
    return " | ".join(parts)


def _have_trained(plan: TrainPlan, work: TrainingJob, workers: TrainingWorkers | None, watch: Watch) -> None:
    """Train, in this process or on workers. Running out of memory is raised as a ValueError."""
    from studies.workers.interrupts import terminations_as_interrupts

    try:
        if workers is not None:
            workers.train(work, watch)
            return
        with terminations_as_interrupts():
            for row in run_job(work, device=plan.device):
                watch(row)
    except (RuntimeError, MemoryError) as error:
        if classify(error) is not Outcome.OUT_OF_MEMORY:
            raise
        raise ValueError(
            f"out of memory with batches of {plan.recipe.batch_size} images at {plan.arch.resolution} px: take a "
            "smaller --batch-size"
        ) from None


def _conclude(
    plan: TrainPlan, run: RunFolder, data: Dataset, work: TrainingJob, curve: Sequence[Evaluation]
) -> Trained:
    """Score the weights that were written on the test images, and write the result."""
    from studies.trainer.checkpoint import load_weights
    from studies.trainer.scoring import score_on_test

    _, model = load_weights(work.weights)
    test = score_on_test(
        model, data, resolution=work.arch.resolution, device=plan.device, precision=plan.recipe.precision
    )
    kept = max(curve, key=lambda row: row.accuracy) if plan.recipe.patience else curve[-1]
    result = Trained(
        seed=work.seed,
        epoch=kept.epoch,
        epochs=curve[-1].epoch,
        validation=kept.accuracy,
        test=test,
        weights=str(work.weights.relative_to(run.folder.resolve())),
        curve=tuple(curve),
    )
    run.write(f"{SEEDS}/{_result_file(work).name}", json.dumps(dataclasses.asdict(result)) + "\n")
    # Only now: until here the same command would have gone on from it.
    work.checkpoint.unlink(missing_ok=True)
    return result


def _result_file(work: TrainingJob) -> Path:
    return work.checkpoint.with_suffix(".result.json")


def _evaluation(row: dict[str, Any]) -> Evaluation:
    return Evaluation(**row | {"outcome": Outcome(row["outcome"])})


def _keep_arch(arch: Arch, run: RunFolder) -> None:
    """Write the network down; ValueError where the folder has another one, whatever its file's name."""
    path = run.path(ARCH)
    if path.exists() and (there := Arch.load(path)).key != arch.key:
        raise ValueError(
            f"run folder {run.folder} trains another network ({there.key}, now {arch.key}): choose another --run, or "
            "--new"
        )
    run.write(ARCH, arch.to_json())


@contextmanager
def _training_workers(plan: TrainPlan, wanted: Sequence[TrainingJob]) -> Iterator[TrainingWorkers | None]:
    """The workers, where there are to be several and something is left to train."""
    workers: AbstractContextManager[TrainingWorkers | None] = nullcontext()
    if plan.config.is_together and any(read_result(work) is None for work in wanted):
        from studies.train.ray_train import training_workers

        workers = training_workers(
            plan.config.workers.fitted(plan.threads, plan.gpus),
            (*own_code(plan.config), *own_operators(plan.arch)),
        )
    else:
        from studies.workers.worker import set_threads

        set_threads(plan.threads)
    with workers as them:
        yield them
