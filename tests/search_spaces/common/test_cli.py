"""Flags, YAML and Python give the same configuration; mistakes are one line and exit code 2."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.benchmark.config import BenchmarkConfig
from nas.proxy.config import ProxyConfig
from nas.search.config import SearchConfig
from scaling.curves.config import CurvesConfig
from scaling.family.config import FamilyConfig
from scaling.grid.config import GridConfig
from search_spaces.common import cli
from search_spaces.common.settings import Setting, flat, setting, settings_of
from studies.train.config import TrainConfig

ONE_LINE = r"\A[^\n]+\Z"


@dataclass(frozen=True)
class Inner:
    """Inner settings.

    Attributes:
        width: A factor.
        min_map: A side.

    """

    width: float = 0.25
    min_map: int = 4

    def __post_init__(self) -> None:
        if self.width < 0:
            raise ValueError(f"width must be 0 or more, got {self.width:g}")


@dataclass(frozen=True)
class Deep:
    """Settings two levels down.

    Attributes:
        start: A side.
        stop: A side.

    """

    start: int = 8
    stop: int = setting(16, flag="last")


@dataclass(frozen=True)
class Images:
    """Images.

    Attributes:
        dataset: A name.
        root: A folder.
        sizes: Two sides.

    """

    dataset: str = "mini"
    root: str | None = setting(None, flag="data-root")
    sizes: Deep = field(default_factory=Deep)

    def __post_init__(self) -> None:
        if self.root == "":
            raise ValueError("root must be a folder, got nothing")
        if not self.dataset:
            raise ValueError("dataset must have a name")


@dataclass(frozen=True)
class Settings:
    """Settings.

    Attributes:
        target_flops: A target.
        band: Two numbers.
        workers: How many.
        inner: Nested.
        dry_run: A flag.
        seed: A whole number.
        name: Text.
        device: One of two.
        data: Nested, with flags of their own names.

    """

    target_flops: int | str = "400M"
    band: tuple[float, float] = (0.8, 1.05)
    workers: int | None = None
    inner: Inner = field(default_factory=Inner)
    dry_run: bool = False
    seed: int = 0
    name: str = "x"
    device: Literal["auto", "cpu"] = "auto"
    data: Images = flat(Images)


def parse(*words: str) -> Settings:
    return cli.parse(Settings, words, prog="python -m x", description="An example.")


def test_flags_fill_the_dataclass():
    got = parse("--target-flops", "1.5G", "--band", "0.5", "1", "--inner.min-map=8", "--workers", "3", "--dry-run")
    assert got == Settings("1.5G", (0.5, 1.0), 3, Inner(min_map=8), True)


def test_nested_settings_have_the_flags_that_their_fields_name():
    got = parse("--dataset", "photos", "--data-root=x", "--sizes.start", "4", "--last", "5")
    assert got == Settings(data=Images("photos", "x", Deep(4, 5)))
    for wrong in ("--data.dataset", "--root", "--sizes.stop", "--stop"):
        with pytest.raises(ValueError, match=f"unknown flag '{wrong}'"):
            parse(wrong, "1")


def test_words_stay_words():
    """YAML would read 1:1:1 as a number to the base of 60, on as true, 0 as a number."""

    @dataclass(frozen=True)
    class Words:
        """Words.

        Attributes:
            strategies: Names.

        """

        strategies: tuple[str, ...] = ()

    for words in (("1:1:1", "2:1:1"), ("on",), ("0", "1"), ("a,b", "c]")):
        got = cli.parse(Words, ("--strategies", *words), prog="python -m x", description="")
        assert got.strategies == words
    assert cli.parse(Words, ("--strategies=1:1:1",), prog="x", description="").strategies == ("1:1:1",)


def test_no_flags_give_the_defaults():
    assert parse() == Settings()


def test_flags_win_over_the_file_wherever_they_stand(tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_text("target_flops: 5G\ninner:\n  width: 0.5\n")
    assert parse("--config", str(path), "--target-flops", "6G") == Settings("6G", inner=Inner(0.5))
    assert parse("--target-flops", "6G", "--config", str(path)) == Settings("6G", inner=Inner(0.5))


WRONG = [
    (["--tagret-flops", "1M"], ("'--target-flops'",)),
    (["--inner.width", "wide"], ("--inner.width", "wide")),
    (["--inner.width", "-1"], ("--inner.width", "-1")),
    (["--inner.width", "nan"], ("--inner.width", "nan")),
    (["--inner.width", "inf"], ("--inner.width", "inf")),
    (["--inner.min-map", "2.5"], ("--inner.min-map", "2.5")),
    (["--workers", "two"], ("--workers", "two")),
    (["--workers", "true"], ("--workers", "true")),
    (["--band", "0.7"], ("--band", "2", "0.7")),
    (["--band", "0.7", "0.8", "0.9"], ("--band", "2", "0.7 0.8 0.9")),
    (["--dry-run=yes"], ("--dry-run", "true", "false", "yes")),
    (["--device", "gpu"], ("--device", "auto, cpu", "gpu")),
    (["--workers"], ("--workers",)),
    (["400M"], ("'400M'",)),
    (["--dataste", "x"], ("'--dataset'",)),
    (["--last", "half"], ("--last", "half")),
    (["--sizes.start", "null"], ("--sizes.start", "null")),
    (["--dataset="], ("--dataset",)),
]


@pytest.mark.parametrize(("words", "named"), WRONG)
def test_mistakes_name_the_flag_the_rule_and_the_value(words: list[str], named: tuple[str, ...]):
    with pytest.raises(ValueError, match=ONE_LINE) as caught:
        parse(*words)
    assert all(name in str(caught.value) for name in named)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("tarflops: 1M\n", ("'target_flops'",)),
        ("inner:\n  widht: 1\n", ("'inner.width'",)),
        ("iner: 3\n", ("'inner'",)),
        ("target_flops: 1M\nworkers: 1\nworkers: 2\n", ("'workers'",)),
        ("seed: null\n", ("seed", "null")),
        ("seed:\n", ("seed", "nothing")),
        ("seed: true\n", ("seed", "true")),
        ("seed: 1.0\n", ("seed", "1.0")),
        ("seed: [1]\n", ("seed", "1")),
        ("seed:\n  a: 1\n", ("seed", "{'a': '1'}")),
        ("workers: two\n", ("workers", "two")),
        ("band: 0.5\n", ("band", "2", "0.5")),
        ("band: [0.5, wide]\n", ("band", "2", "0.5 wide")),
        ("band: null\n", ("band", "2", "null")),
        ("dry_run: on\n", ("dry_run", "true", "false", "on")),
        ("name: [a, b]\n", ("name", "a b")),
        ("inner: 3\n", ("'inner'",)),
        ("inner:\n", ("'inner'",)),
        ("inner: [1]\n", ("'inner'",)),
        ("inner:\n  width: null\n", ("inner.width", "null")),
        ("1: 2\n", ("'1'",)),
        ("dataset: photos\n", ("'dataset'", "'data.dataset'")),
        ("data_root: x\n", ("'data_root'", "'data.root'")),
        ("last: 3\n", ("'last'", "'data.sizes.stop'")),
        ("data:\n  datset: x\n", ("'data.datset'", "'data.dataset'")),
        ("data:\n  data_root: x\n", ("'data.data_root'", "'data.root'")),
        ("data: photos\n", ("'data'", "dataset, root", "'photos'")),
        ("data:\n", ("'data'", "dataset, root")),
        ("data: null\n", ("'data'", "'null'")),
        ("data: [photos]\n", ("'data'", "['photos']")),
        ("data:\n  sizes: 3\n", ("'data.sizes'", "start, stop")),
        ("data:\n  sizes:\n    stop: null\n", ("data.sizes.stop", "null")),
        ("data:\n  sizes:\n    stop: true\n", ("data.sizes.stop", "true")),
        ("data:\n  sizes:\n    stop: 1\n    stop: 2\n", ("'stop'", "twice")),
        ("data:\n  dataset: {a: 1}\n", ("data.dataset", "{'a': '1'}")),
        ("data:\n  [1]: 2\n", ()),
        ("? [1, 2]\n: 3\n", ()),
        ("", ("settings",)),
        ("- 400M\n", ("settings",)),
        ("band: [1\n", ("YAML",)),
        ("\x00", ("YAML",)),
    ],
)
def test_mistakes_in_a_file_name_it_and_the_setting(tmp_path: Path, text: str, named: tuple[str, ...]):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=re.escape(str(path))) as caught:
        parse("--config", str(path))
    assert all(name in str(caught.value) for name in named)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    (tmp_path / "latin.yaml").write_bytes(b"\xa8\x00")
    for path in (tmp_path / "latin.yaml", tmp_path / "missing.yaml", tmp_path):
        with pytest.raises(ValueError, match=re.escape(str(path))):
            parse("--config", str(path))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("finalist: {seeds: 0}", "finalist.seeds"),
        ("finalist: {number: 99}", "finalist.number"),
        ("workers: {number: -1}", "workers.number"),
        ("objective: {step_batch: -1}", "objective.step_batch"),
        ("proxy: {width: 0}", "proxy.width"),
        ("target_flops: lots", "target_flops:"),
        ("seed: -1", "seed"),
    ],
)
def test_checks_of_the_configuration_name_the_file_too(tmp_path: Path, text: str, place: str):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    words = ("--config", str(path))
    with pytest.raises(ValueError, match=f"^--config {re.escape(str(path))}: {place} "):
        cli.parse(SearchConfig, words, prog="", description="")


def test_a_flag_that_takes_precedence_is_at_fault_itself(tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_text("seed: -1")
    with pytest.raises(ValueError, match="^--seed must"):
        cli.parse(SearchConfig, ("--config", str(path), "--seed=-2"), prog="", description="")
    assert cli.parse(SearchConfig, ("--config", str(path), "--seed=2"), prog="", description="").seed == 2


def test_groups_of_a_file_keep_what_they_do_not_name(tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_text("data:\n  sizes: {stop: 4}\n")
    assert parse("--config", str(path)) == Settings(data=Images(sizes=Deep(stop=4)))
    assert parse("--config", str(path), "--sizes.start=2").data == Images(sizes=Deep(2, 4))
    path.write_text("data: {root: null}\n")
    assert parse("--config", str(path)) == Settings()
    path.write_text("data: {}\n")
    assert parse("--config", str(path)) == Settings()


def test_nothing_is_a_value_where_a_setting_may_be_left_out(tmp_path: Path):
    path = tmp_path / "config.yaml"
    for text in ("workers: null\n", "workers:\n"):
        path.write_text(text)
        assert parse("--config", str(path)) == Settings()
    assert parse("--workers", "2", "--workers", "null") == Settings()


def test_words_of_a_file_stay_words(tmp_path: Path):
    """YAML would read 1:1:1 as 3661, on as true and 1e3 as text."""
    path = tmp_path / "config.yaml"
    path.write_text("name: 1:1:1\ninner:\n  width: 1e-3\n")
    assert parse("--config", str(path)) == Settings(name="1:1:1", inner=Inner(0.001))


def test_later_files_win_over_earlier_ones(tmp_path: Path):
    for name, text in (("a", "seed: 1\ninner: {width: 0.5}\n"), ("b", "seed: 2\n")):
        (tmp_path / name).write_text(text)
    words = ("--config", str(tmp_path / "a"), "--config", str(tmp_path / "b"))
    assert parse(*words) == Settings(seed=2, inner=Inner(0.5))


numbers = st.floats(allow_nan=False, allow_infinity=False)
configs = st.builds(
    Settings,
    target_flops=st.integers() | st.from_regex(r"[1-9]\d{0,2}[KMG]", fullmatch=True),
    band=st.tuples(numbers, numbers),
    workers=st.none() | st.integers(),
    inner=st.builds(Inner, width=st.floats(min_value=0, allow_nan=False, allow_infinity=False), min_map=st.integers()),
    dry_run=st.booleans(),
    seed=st.integers(),
    name=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
    device=st.sampled_from(["auto", "cpu"]),
    data=st.builds(Images, dataset=st.sampled_from(["1", "null", "no"]), sizes=st.builds(Deep, st.integers())),
)


@given(configs)
def test_yaml_reads_back_to_the_same_configuration(config: Settings):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(cli.to_yaml(config))
        assert parse("--config", str(path)) == config


def outcome(config: type[Any], one: Setting, *words: str) -> object:
    """The configuration, or the refusal without the place that it begins with."""
    try:
        return cli.parse(config, words, prog="", description="")
    except ValueError as error:
        places = (f"--config {words[-1]}: {one.name}", one.flag)
        return next((str(error).removeprefix(place) for place in places if str(error).startswith(place)), str(error))


COMMANDS = (Settings, SearchConfig, ProxyConfig, BenchmarkConfig, GridConfig, CurvesConfig, FamilyConfig, TrainConfig)
SETTINGS = [(command, one) for command in COMMANDS for one in settings_of(command).values()]
GIVEN = (
    st.integers(-3, 300).map(str)
    | numbers.map(str)
    | st.sampled_from(
        ["true", "false", "null", "auto", "cpu", "soft", "1:1", "0x10", "1_000", "on", "5M", "inf", "x/y"]
    )
)


@settings(max_examples=600)
@given(st.sampled_from(SETTINGS), st.lists(GIVEN, min_size=1, max_size=3))
def test_a_file_takes_what_a_flag_takes(which: tuple[type[Any], Setting], given: list[str]):
    command, one = which
    if get_origin(one.kind) is not tuple:
        given = given[:1]
    *groups, last = one.name.split(".")
    text = f"{last}: {given[0]}" if len(given) == 1 else f"{last}: [{', '.join(given)}]"
    for group in reversed(groups):
        text = f"{group}: {{{text}}}"
    words = [f"{one.flag}={given[0]}"] if len(given) == 1 else [one.flag, *given]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(text)
        assert outcome(command, one, "--config", str(path)) == outcome(command, one, *words)


def test_a_broken_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "config.yaml"
    path.write_text("band: [1\n")
    assert cli.run(lambda argv: parse(*argv) and 0, ["--config", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@dataclass(frozen=True)
class Many:
    """Settings of more than one word.

    Attributes:
        phi: As many numbers as there are.
        pair: Two numbers.

    """

    phi: tuple[float, ...] = (0.0, 1.0)
    pair: tuple[int, int] = (1, 2)


def test_a_tuple_of_any_length_takes_all_words():
    def many(*words: str) -> Many:
        return cli.parse(Many, words, prog="python -m x", description="An example.")

    assert many("--phi", "0", "1", "2.5", "--pair", "3", "4") == Many((0.0, 1.0, 2.5), (3, 4))
    assert many("--phi", "3") == Many((3.0,))
    with pytest.raises(ValueError, match="--phi"):
        many("--phi", "1", "two")


def test_a_mistake_is_one_line_on_stderr_and_exit_code_2(capsys: pytest.CaptureFixture[str]):
    def main(argv: object) -> int:
        raise ValueError("a rule,\n  broken by 5")

    assert cli.run(main, []) == 2
    assert capsys.readouterr().err == "error: a rule, broken by 5\n"


def test_ctrl_c_is_exit_code_130(capsys: pytest.CaptureFixture[str]):
    def main(argv: object) -> int:
        raise KeyboardInterrupt("run the same command again to resume")

    assert cli.run(main, []) == 130
    assert capsys.readouterr().err == "interrupted: run the same command again to resume\n"
