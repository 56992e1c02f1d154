"""Help as a user reads it: flags as they are typed, in their column, with their defaults."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from nas.benchmark.config import BenchmarkConfig
from nas.proxy.config import ProxyConfig
from nas.search.config import SearchConfig
from scaling.curves.config import CurvesConfig
from scaling.family.config import FamilyConfig
from scaling.grid.config import GridConfig
from search_spaces.common import cli
from search_spaces.common.help import text_of
from search_spaces.common.lazy import resolve
from search_spaces.common.registry import Registry, Row
from search_spaces.common.settings import setting, settings_of
from studies.train.config import TrainConfig

COMMANDS = (
    "nas.search", "nas.benchmark", "nas.proxy", "scaling.grid", "scaling.curves", "scaling.family", "scaling.published",
    "studies.train", "reports.build",
)  # fmt: skip


@dataclass(frozen=True)
class Inner:
    """Inner settings.

    Attributes:
        min_map: A side.

    """

    min_map: int = 4


@dataclass(frozen=True)
class Settings:
    """Settings of all kinds.

    Attributes:
        target_flops: A target, reached within 5 %.
        band: Two numbers.
        phi: As many numbers as there are.
        names: Names. Default: all.
        workers: Processes. Default: as many as fit.
        init: A checkpoint. Default: none.
        device: Where.
        inner: Nested.
        dry_run: A flag.

    """

    target_flops: int | str = "400M"
    band: tuple[float, float] = (0.8, 1.0)
    phi: tuple[float, ...] = (0.0, 1.5)
    names: tuple[str, ...] = ()
    workers: int | None = None
    init: str = ""
    device: Literal["auto", "cpu"] = "auto"
    inner: Inner = field(default_factory=Inner)
    dry_run: bool = False


HELP = """\
usage: python -m x [-h] [--config FILE] [--target-flops TARGET_FLOPS] [--band VALUE VALUE]
                   [--phi VALUE ...] [--names VALUE ...] [--workers WORKERS] [--init INIT]
                   [--device {auto,cpu}] [--dry-run] [--inner.min-map MIN_MAP]

An example.

options:
  -h, --help            show this help message and exit
  --config FILE         YAML file of these settings; flags win over it

Settings of all kinds:
  --target-flops TARGET_FLOPS
                        A target, reached within 5 %. (default: 400M)
  --band VALUE VALUE    Two numbers. (default: 0.8 1)
  --phi VALUE ...       As many numbers as there are. (default: 0 1.5)
  --names VALUE ...     Names. Default: all.
  --workers WORKERS     Processes. Default: as many as fit.
  --init INIT           A checkpoint. Default: none.
  --device {auto,cpu}   Where. (default: auto)
  --dry-run             A flag.

Nested:
  --inner.min-map MIN_MAP
                        A side. (default: 4)
"""


def test_help_shows_what_is_typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as caught:
        cli.parse(Settings, ["--help"], prog="python -m x", description="An example.")
    assert caught.value.code == 0
    assert capsys.readouterr().out == HELP


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_is_tidy(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    main: Any = importlib.import_module(name if name == "reports.build" else f"{name}.__main__").main
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert text.startswith(f"usage: python -m {name} ")
    assert max(map(len, text.splitlines())) <= 100
    for nothing in ("null", "None", "(default: )", "()", "False"):
        assert nothing not in text
    options = text[text.index("options:") :]
    # Beyond the columns of flags and texts there is one space between words.
    assert not [line for line in options.splitlines() if "  " in line[24:].strip()]


CONFIGS: dict[type[Any], set[str]] = {
    SearchConfig: {"space", "reference", "sampler", "data.dataset", "recipe"},
    ProxyConfig: {"space", "data.dataset", "recipe", "against_recipe"},
    BenchmarkConfig: {"samplers"},
    GridConfig: {"data.dataset", "recipe"},
    CurvesConfig: {"data.dataset", "recipe", "strategies"},
    FamilyConfig: {"strategy"},
    TrainConfig: {"data.dataset", "recipe"},
}


@pytest.mark.parametrize(("config", "settings"), CONFIGS.items(), ids=[one.__name__ for one in CONFIGS])
def test_the_help_of_a_setting_names_every_row_of_its_registry(config: type[Any], settings: set[str]) -> None:
    known = {one.name: one for one in settings_of(config).values() if one.registry}
    assert known.keys() >= settings
    for one in known.values():
        assert set(resolve(one.registry)) <= set(re.findall(r"[\w-]+", text_of(one))), one.flag


ROWS = Registry(
    "kind",
    [Row(name="a", code="x:a", label="the first"), Row(name="b", code="x:b", label="the second")],
    adopt=lambda name, found: Row(name=name, code=name, label=name),
    forms=["folder:DIR"],
)


@dataclass(frozen=True)
class Named:
    """Settings that name rows.

    Attributes:
        short: One of {names}.
        long: One of {labels}.

    """

    short: str = setting("a", registry=f"{__name__}:ROWS")
    long: str = setting("", registry=f"{__name__}:ROWS")


def test_names_and_labels_are_those_of_the_registry() -> None:
    assert [text_of(one) for one in settings_of(Named).values()] == [
        "One of a, b, folder:DIR, or your own as module:name. (default: a)",
        "One of a (the first), b (the second), folder:DIR, or your own as module:name.",
    ]


@pytest.mark.parametrize("name", ["search_spaces.memory", "search_spaces.table"])
def test_the_usage_names_the_module_that_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        importlib.import_module(name).main(["--help"])
    assert capsys.readouterr().out.split()[:4] == ["usage:", "python", "-m", name]
