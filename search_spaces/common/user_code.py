"""A user's own code by name: `module:name`, wherever a flag takes the name of a registry's entry.

The module is found as Python finds it: in the folder where the command starts, in `PYTHONPATH`, in the folders of
`--code` and among the installed packages.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from search_spaces.common.suggest import nearest
from search_spaces.common.text import one_line

# Our own packages, which a user's code may import.
PROGRAM = ("search_spaces", "studies", "nas", "scaling", "reports")
# Characters of a user's error that a line shows.
MAX_REASON = 300
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


def is_user_code(name: str) -> bool:
    """Whether a name has the form of a user's own code, such as my_images:load."""
    return _NAME.fullmatch(name) is not None


def load_user_code(kind: str, name: str) -> Any:
    """The object that `module:name` names; its module is imported. `kind` is what it is to be, such as "data set".

    Raises ValueError, in one line, if the module cannot be found or imported, or has no such name.
    """
    module_name, _, attribute = name.partition(":")
    try:
        module = import_module(module_name)
    except (Exception, SystemExit) as error:
        # A user's module may raise anything while it is imported; a script without a guard may even exit.
        reason = f"{type(error).__name__}: {one_line(str(error))}"
        raise ValueError(
            f"{kind} {name}: module {module_name} cannot be imported ({reason}); start the command in the module's "
            "folder, or name the folder in PYTHONPATH"
        ) from None
    if not hasattr(module, attribute):
        public = [known for known in vars(module) if not known.startswith("_")]
        raise ValueError(f"{kind} {name}: module {module_name} has no '{attribute}'{nearest(attribute, public)}")
    return getattr(module, attribute)


def called(subject: str, function: Callable[..., Any], *arguments: Any, **settings: Any) -> Any:
    """What a user's function returns. `subject` is what it belongs to, such as "dataset my_images:load".

    Raises ValueError, in one line that names the function and the place, for whatever it raises except MemoryError.
    """
    try:
        return function(*arguments, **settings)
    except MemoryError:
        raise
    except (Exception, SystemExit) as error:
        # A user's function may raise anything.
        frames = traceback.extract_tb(error.__traceback__)[1:]
        place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
        name = getattr(function, "__name__", type(function).__name__)
        reason = f"{type(error).__name__}: {one_line(str(error))}"[:MAX_REASON]
        raise ValueError(f"{subject}: {name} failed{place} ({reason})") from None


def sources(names: Iterable[str]) -> dict[str, Path]:
    """The file, or the folder of a package, of each top-level module with the user's code among some names.

    With them come the modules that these import, unless they are installed packages. Triaxis itself is no user's code.
    Raises ValueError for a module without a file.
    """
    found: dict[str, Path] = {}
    named = {name.partition(":")[0].partition(".")[0] for name in names if is_user_code(name)}
    waiting = sorted(named - set(PROGRAM))
    for module in waiting:
        if module not in found:
            path = _source(module)
            if path is None:
                raise ValueError(f"module {module} has no file: a user's own code must be a .py file or a package")
            found[module] = path
            waiting += sorted(_imported(path) - found.keys())
    return dict(sorted(found.items()))


def _source(module: str) -> Path | None:
    """The file, or the folder of a package, of a top-level module; None if there is none. It is not imported."""
    try:
        spec = sys.modules[module].__spec__ if module in sys.modules else find_spec(module)
    except (ImportError, ValueError):
        return None
    if spec is None or not (spec.submodule_search_locations or spec.has_location):
        return None
    inside = spec.submodule_search_locations
    return Path(next(iter(inside)) if inside else str(spec.origin)).resolve()


def _imported(path: Path) -> set[str]:
    """The top-level modules that a module imports and that are the user's, as far as its text says so."""
    if _is_installed(path):
        return set()
    names = {name for file in _files(path) for name in _imports(file, file.stat().st_mtime_ns, file.stat().st_size)}
    others = names - {*sys.stdlib_module_names, *PROGRAM}
    return {name for name in others if (source := _source(name)) is not None and not _is_installed(source)}


@lru_cache(maxsize=1000)
def _imports(file: Path, _changed: int, _size: int) -> frozenset[str]:
    """The top-level modules that a file of Python imports; none if it is no Python. Files are read again if changed."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return frozenset()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return frozenset(names)


def _is_installed(path: Path) -> bool:
    return bool({"site-packages", "dist-packages"} & set(path.parts))


def folders(names: Iterable[str]) -> tuple[str, ...]:
    """The absolute folders in which Python finds the modules of the user's code among some names.

    Those of installed packages are left out: they are searched anyway. Raises ValueError for a module without a file.
    """
    return tuple(dict.fromkeys(str(path.parent) for path in sources(names).values() if not _is_installed(path)))


def search_in(more: Iterable[str]) -> None:
    """Let this process find modules in these folders too, before all others. Raises ValueError if one is no folder."""
    known = {str(Path(entry or ".").resolve()) for entry in sys.path}
    for folder in more:
        path = Path(folder).resolve()
        if not path.is_dir():
            raise ValueError(f"--code {folder} is no folder: name the folders of your own modules")
        if str(path) not in known:
            sys.path.insert(0, str(path))


def digests(names: Iterable[str]) -> dict[str, str]:
    """16 hexadecimal digits of the source text of the user's code among some names, by top-level module.

    A study that resumes with other code would mix results that do not belong together.
    """
    return {module: _digest(path) for module, path in sources(names).items()}


def _digest(path: Path) -> str:
    text = hashlib.sha256()
    for file in _files(path):
        text.update(str(file.relative_to(path.parent)).encode() + b"\0" + file.read_bytes() + b"\0")
    return text.hexdigest()[:16]


def _files(path: Path) -> Iterator[Path]:
    """The Python files of a module or package, in a fixed order; hidden folders, such as .venv, are left out."""
    if not path.is_dir():
        yield path
        return
    for file in sorted(path.rglob("*.py")):
        if not any(part.startswith(".") for part in file.relative_to(path).parts):
            yield file
