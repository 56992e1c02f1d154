"""Run folders: each run has one. It records how the run was made, and it is never overwritten by accident."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import yaml

from search_spaces.common.differences import describe_differences
from search_spaces.common.files import atomic_write
from search_spaces.common.settings import without
from studies.outcome import describe_error
from studies.runs.manifest import describe_session

FORMAT = "triaxis-run-1"
CONFIG, MANIFEST, LOCK, LOG, LEDGER = "config.yaml", "manifest.json", "lock", "log.txt", "ledger.db"
# Loggers whose messages go to the log of an open run.
LOGGERS = ("search_spaces", "studies", "nas", "scaling", "reports")


class Status(StrEnum):
    """The state of a run or of one of its sessions. A running session whose lock is gone was killed."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    KILLED = "killed"


class RunFolder:
    """A run folder, locked by this process until it is closed. Use it as `with RunFolder.open(...) as run:`.

    folder  of the run's files
    status  recorded if the `with` ends without an exception: "finished", unless the run sets another
    """

    def __init__(self, folder: Path, lock: TextIO, manifest: dict[str, Any]) -> None:
        self.folder = folder
        self.status = Status.FINISHED
        self._lock = lock
        self._manifest = manifest
        self._handler: logging.Handler | None = None

    @classmethod
    def open(
        cls,
        folder: str | Path,
        config: Mapping[str, Any],
        *,
        command: Sequence[str] = (),
        seed: int = 0,
        new: bool = False,
        resumable: Collection[str] = (),
        code: Mapping[str, str] | None = None,
    ) -> RunFolder:
        """Make a run folder, or resume the run that it holds.

        Args:
            folder: made, with its parents, if it does not exist
            config: plain YAML values that reproduce the run; written to config.yaml
            command: the command line, recorded in the manifest
            seed: recorded in the manifest
            new: start a new run; an old run in the folder is moved to a name with its date
            resumable: dotted names of settings, or of groups, that may differ from the old run's (trials, workers, ...)
            code: digests of the user's own modules by name, those of the old run; recorded in the manifest

        Raises ValueError, in one line and with nothing written, if the folder holds other files, another configuration
        or a run of other code, is in use (the message names the process), or cannot be written.

        """
        path = Path(folder)
        normal = json.loads(json.dumps(config))
        manifest = _existing_manifest(path)
        if manifest is not None and not new:
            _check_config(path, normal, resumable)
            check_code(path, code or {})
        lock = _take_lock(path)
        if manifest is not None and new:
            lock.close()
            _move_aside(path, manifest)
            manifest, lock = None, _take_lock(path)
        run = cls(path, lock, manifest or {})
        run._begin(normal, command, seed, code or {})
        return run

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close(self.status)
        elif isinstance(error, KeyboardInterrupt):
            self.close(Status.INTERRUPTED)
        else:
            self.close(Status.FAILED, describe_error(error))

    def path(self, name: str) -> Path:
        """A file of the run."""
        return self.folder / name

    def write(self, name: str, data: str | bytes) -> Path:
        """Write a file of the run, atomically; missing folders are made."""
        target = self.path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(target, data)
        return target

    def close(self, status: Status, reason: str = "") -> None:
        """Record how the session ended, close the log and release the lock."""
        session = self._manifest["sessions"][-1]
        session.update(end=_now(), status=status, **({"reason": reason} if reason else {}))
        self._manifest.update(status=status, end=session["end"])
        self._save()
        if self._handler is not None:
            for name in LOGGERS:
                logging.getLogger(name).removeHandler(self._handler)
            self._handler.close()
        self._lock.close()

    def _begin(self, config: Mapping[str, Any], command: Sequence[str], seed: int, code: Mapping[str, str]) -> None:
        """Record a new session and start to log."""
        session = {"start": _now(), "end": None, "status": Status.RUNNING, **describe_session(command)}
        # We hold the lock, so an earlier session that is recorded as running was killed.
        earlier = [
            old | {"status": Status.KILLED} if old["status"] == Status.RUNNING else old
            for old in self._manifest.get("sessions", ())
        ]
        sessions = [*earlier, session]
        self._manifest = {
            "format": FORMAT,
            "status": Status.RUNNING,
            "seed": seed,
            "code": {**self._manifest.get("code", {}), **code},
            "start": sessions[0]["start"],
            "end": None,
            "sessions": sessions,
        }
        self.write(CONFIG, yaml.safe_dump(config, sort_keys=False))
        self._save()
        self._handler = _log_handler(self.path(LOG))

    def _save(self) -> None:
        self.write(MANIFEST, json.dumps(self._manifest, indent=2) + "\n")


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """The manifest of a run folder. Raises ValueError if the folder holds no run."""
    manifest = _existing_manifest(Path(folder))
    if manifest is None:
        raise ValueError(f"{folder} is not a run folder: it has no {MANIFEST}")
    return manifest


def read_config(folder: Path) -> dict[str, Any]:
    """The settings of the run in a folder. Raises ValueError if they cannot be read."""
    path = folder / CONFIG
    try:
        settings = yaml.safe_load(path.read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ValueError(f"cannot read {path}: {describe_error(error)}; --new starts a new run") from None
    if not isinstance(settings, dict):
        raise ValueError(f"cannot read {path}: it holds no settings; --new starts a new run")
    return settings


def check_code(folder: Path, code: Mapping[str, str]) -> None:
    """Raise ValueError if the run in a folder used other code of one of the user's own modules; `code` has digests."""
    recorded = read_manifest(folder).get("code", {})
    changed = [module for module, digest in code.items() if recorded.get(module, digest) != digest]
    if changed:
        raise ValueError(
            f"run folder {folder} was made with other code of your module {', '.join(changed)}, and its results would "
            "not belong together: --new starts a new run, or choose another --run"
        )


def _existing_manifest(path: Path) -> dict[str, Any] | None:
    """The manifest of the run in a folder; None if the folder does not exist or is empty."""
    if not path.exists():
        return None
    if not path.is_dir():
        raise ValueError(f"run folder {path} is a file: choose another --run")
    if not (path / MANIFEST).exists():
        if any(entry.name != LOCK for entry in path.iterdir()):
            raise ValueError(f"folder {path} is not empty and holds no run: choose another --run")
        return None
    try:
        manifest = json.loads((path / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot read {path / MANIFEST}: {describe_error(error)}; choose another --run") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError(f"{path / MANIFEST} does not have the format {FORMAT}: choose another --run")
    return manifest


def _check_config(path: Path, config: Mapping[str, Any], resumable: Collection[str]) -> None:
    """Raise ValueError if the run's configuration differs in a setting that is not in `resumable`."""
    old, now = (without(settings, resumable) for settings in (read_config(path), config))
    text = describe_differences(old, now)
    if text:
        raise ValueError(f"run folder {path} holds another configuration: {text}; choose another --run")


def _take_lock(path: Path) -> TextIO:
    """Make the folder if necessary, and lock it. The lock ends with this process, however it ends."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / LOCK).open("a+")
    except OSError as error:
        raise ValueError(f"cannot write to run folder {path}: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise ValueError(
            f"run folder {path} is in use by process {holder}: wait for it, or choose another --run"
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()} on {os.uname().nodename}\n")
    lock.flush()
    return lock


def _move_aside(path: Path, manifest: Mapping[str, Any]) -> None:
    """Rename an old run's folder; the new name ends in the run's start time."""
    stamp = str(manifest["start"]).replace(":", "").replace("-", "")[:15]
    target = path.with_name(f"{path.name}-{stamp}")
    count = 1
    while target.exists():
        count += 1
        target = path.with_name(f"{path.name}-{stamp}-{count}")
    path.rename(target)


def _log_handler(path: Path) -> logging.Handler:
    """Starts to append the messages of LOGGERS to a file."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.INFO)
    return handler


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
