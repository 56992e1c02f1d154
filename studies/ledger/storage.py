"""Opening the Optuna storage behind a ledger, whatever lies at its address, and a study in it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from sqlalchemy.engine import make_url

from search_spaces.common.differences import describe_differences

BUSY_SECONDS = 120
_ATTRIBUTE = "settings"


def sqlite_url(path: str | Path) -> str:
    """The storage URL of an SQLite file."""
    return f"sqlite:///{path}"


def open_storage(url: str | None, *, create: bool = True) -> tuple[BaseStorage, Callable[[], None]]:
    """Connect to an Optuna storage (None: in memory); its tables are made where there are none.

    An SQLite file is put into write-ahead mode, so that readers (optuna-dashboard) and several drivers live side by
    side. Raises ValueError, in one line, for an unreadable address, a corrupt file, another program's database, or,
    with `create` false, a missing file. Returns the storage and how to disconnect from it.
    """
    if url is None:
        return InMemoryStorage(), lambda: None
    try:
        address = make_url(url)
    except sqlalchemy.exc.ArgumentError:
        raise ValueError(f"--storage must be a database URL such as sqlite:///runs/x/ledger.db, got {url!r}") from None
    is_file = address.get_backend_name() == "sqlite" and address.database not in (None, "", ":memory:")
    if is_file:
        assert address.database is not None
        _prepare_sqlite(Path(address.database), create=create)
    try:
        storage = _connect(url, {"connect_args": {"timeout": BUSY_SECONDS}} if is_file else {})
    except ImportError as error:
        raise ValueError(
            f"storage {without_password(url)} needs a database driver that is not installed: {error}"
        ) from None
    except (RuntimeError, sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.OptunaError) as error:
        raise ValueError(f"cannot open storage {without_password(url)}: {_first_line(error)}") from None
    if is_file:
        _serialise_writers(storage.engine)

    def close() -> None:
        storage.remove_session()
        storage.engine.dispose()

    return optuna.storages.get_storage(storage), close


def open_study(
    url: str | None,
    name: str,
    sampler: BaseSampler | None,
    pruner: BasePruner | None,
    *,
    directions: Sequence[str],
    settings: Mapping[str, Any] | None,
) -> tuple[optuna.Study, BaseStorage, Callable[[], None]]:
    """Open a study, or make it with these directions and settings; without settings only to read one that is there.

    Raises ValueError, in one line, for what `open_storage` refuses, other settings or directions, or a missing study.
    Returns the study, its storage and how to disconnect from it.
    """
    storage, close = open_storage(url, create=settings is not None)
    pruner = pruner or optuna.pruners.NopPruner()
    how: dict[str, Any] = {"study_name": name, "storage": storage, "sampler": sampler, "pruner": pruner}
    try:
        if settings is None:
            return optuna.load_study(**how), storage, close
        made: dict[str, Any] = how | {"directions": list(directions), "load_if_exists": True}
        study = optuna.create_study(**made)
        check_settings(study, directions, settings)
    except KeyError:
        close()
        raise ValueError(f"storage {url and without_password(url)} holds no study '{name}'") from None
    except ValueError:
        close()
        raise
    return study, storage, close


def _connect(url: str, engine: dict[str, Any], attempts: int = 10) -> RDBStorage:
    """Connect; if another driver is making the same tables at this moment, wait for it."""
    for attempt in range(attempts):
        try:
            return RDBStorage(url, engine_kwargs=engine)
        except (
            sqlalchemy.exc.OperationalError,
            sqlalchemy.exc.ProgrammingError,
            sqlalchemy.exc.IntegrityError,
        ) as error:
            is_race = "already exists" in str(error) or isinstance(error, sqlalchemy.exc.IntegrityError)
            if not is_race or attempt == attempts - 1:
                raise
            time.sleep(0.2)
    raise AssertionError


def _prepare_sqlite(path: Path, *, create: bool) -> None:
    if not path.exists():
        if not create:
            raise ValueError(f"no ledger at {path}")
        if not path.parent.is_dir():
            raise ValueError(f"cannot make ledger {path}: there is no folder {path.parent}")
    try:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
        try:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            # Not all of Optuna's tables: another driver may be making them at this moment.
            if tables and not tables & {"studies", "version_info"}:
                raise ValueError(f"{path} is another program's database, not an Optuna storage: move it away")
            _check_pages(connection)
            _write_ahead(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise ValueError(f"cannot open ledger {path}: {error}; restore it from a copy or move it away") from None


def _check_pages(connection: sqlite3.Connection) -> None:
    """Damaged pages are a result of SQLite's check, not an exception."""
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(f"it is damaged ({found.splitlines()[-1]})")


def _write_ahead(connection: sqlite3.Connection, attempts: int = 50) -> None:
    """Switch to write-ahead logging. SQLite does not wait while another process does the same, so we do."""
    for attempt in range(attempts):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if attempt == attempts - 1:
                raise
            time.sleep(0.1)


def _serialise_writers(engine: sqlalchemy.Engine) -> None:
    """Let each transaction take SQLite's write lock at once.

    Optuna reads a trial's state and then changes it, relying on SELECT FOR UPDATE, which SQLite does not have: without
    this two drivers could claim the same waiting trial.
    """

    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        # With write-ahead logging this loses nothing when a process is killed.
        connection.execute("PRAGMA synchronous = NORMAL")

    def begin(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    sqlalchemy.event.listen(engine, "connect", connect)
    sqlalchemy.event.listen(engine, "begin", begin)
    engine.dispose()


def without_password(url: str) -> str:
    """A database's address for people and files: without its password."""
    return make_url(url).render_as_string(hide_password=True)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def check_settings(study: optuna.Study, directions: Sequence[str], settings: Mapping[str, Any]) -> None:
    """Write the settings into a new study, or compare them with an old one's. Raises ValueError where they differ."""
    normal = json.loads(json.dumps(settings))
    stored = study.user_attrs.get(_ATTRIBUTE)
    if stored is None:
        if study.get_trials(deepcopy=False):
            raise ValueError(f"study '{study.study_name}' was made by another program: choose another name or storage")
        study.set_user_attr(_ATTRIBUTE, normal)
        return
    there = {**stored, "directions": [direction.name.lower() for direction in study.directions]}
    text = describe_differences(there, {**normal, "directions": list(directions)})
    if text:
        raise ValueError(
            f"study '{study.study_name}' has other settings: {text}; use another --run, or the same settings"
        )
