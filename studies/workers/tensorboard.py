"""TensorBoard logs of a batch's trials: the results of each rung, one folder per trial."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from studies.ledger.trial import Record

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter

FOLDER = "tensorboard"
SCALARS = ("accuracy", "loss", "train_loss", "images", "seconds")


class TensorBoardLogger:
    """Writes logs while a batch of trials runs: a context manager, called on every change (see `queue.Watch`).

    A trial's folder is its number, network and seed. They are for looking at: results are read from the ledger.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[int, SummaryWriter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in list(self._writers):
            self._close(number)

    def __call__(self, event: str, record: Record) -> None:
        """Log the last rung of a trial; at its end, close its files."""
        if event == "rung":
            self._log(record)
        elif event == "end":
            self._close(record.number)

    def _log(self, record: Record) -> None:
        rung = record.rungs[-1]
        writer = self._writers.get(record.number) or self._open(record)
        for name in SCALARS:
            if isinstance(rung.get(name), int | float):
                writer.add_scalar(name, rung[name], rung["step"])
        # A TensorBoard that is open shows it now.
        writer.flush()

    def _open(self, record: Record) -> SummaryWriter:
        from tensorboardX import SummaryWriter

        name = f"{record.number:05d}-{record.key}-seed{record.seed}"
        writer = SummaryWriter(logdir=str(self._folder / name), write_to_disk=True)
        self._writers[record.number] = writer
        return writer

    def _close(self, number: int) -> None:
        writer = self._writers.pop(number, None)
        if writer is not None:
            writer.close()
